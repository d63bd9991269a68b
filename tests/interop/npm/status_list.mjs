// npm @sd-jwt/jwt-status-list: Token Status List.

import { StatusList, createHeaderAndPayload, getListFromStatusListJWT } from "@sd-jwt/jwt-status-list";

import { sign } from "./jose.mjs";

/** Read statuses out of a token whose signature somebody else verifies. */
export function read({ token, indices }) {
  const list = getListFromStatusListJWT(token);
  return {
    bits: list.getBitsPerStatus(),
    length: list.statusList.length,
    statuses: indices.map((index) => list.getStatus(index)),
  };
}

export function issue({ statuses, bits, claims, header, jwk }) {
  const made = createHeaderAndPayload(new StatusList(statuses, bits), claims, header);
  return sign({ ...made, jwk });
}
