// npm @sd-jwt/sd-jwt-vc: the whole SD-JWT VC, with disclosures, key binding and status.

import { ES256, digest, generateSalt } from "@sd-jwt/crypto-nodejs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { exportJWK, importX509 } from "jose";

import { leafOf } from "./chain.mjs";

const common = { hasher: digest, hashAlg: "sha-256", saltGenerator: generateSalt };

async function verifierFor(token, root, at) {
  const key = await importX509(leafOf(token, root, at), "ES256", { extractable: true });
  return ES256.getVerifier(await exportJWK(key));
}

/** Verify; `nonce` asks for key binding, `statusList` is the token that its uri would yield. */
export async function verify({ token, root, at, skew, nonce, required, statusList }) {
  const instance = new SDJwtVcInstance({
    ...common,
    verifier: await verifierFor(token.split("~")[0], root, at),
    kbVerifier: async (data, signature, payload) =>
      (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
    statusListFetcher: async () => statusList,
    statusVerifier: statusList && (await verifierFor(statusList, root, at)),
  });
  const { payload, kb } = await instance.verify(token, {
    currentDate: at,
    skewSeconds: skew,
    keyBindingNonce: nonce,
    requiredClaimKeys: required,
  });
  return { payload, keyBinding: kb?.payload ?? null };
}

/** Present some of the claims; `binding` is the payload of the key-binding JWT. */
export async function present({ token, frame, holder, binding }) {
  const instance = new SDJwtVcInstance({
    ...common,
    kbSigner: holder && (await ES256.getSigner(holder)),
    kbSignAlg: ES256.alg,
  });
  return instance.present(token, frame, binding && { kb: { payload: binding } });
}

export async function issue({ claims, frame, header, jwk }) {
  const signer = await ES256.getSigner(jwk);
  const instance = new SDJwtVcInstance({ ...common, signer, signAlg: ES256.alg });
  return instance.issue(claims, frame, { header });
}

/** Median milliseconds of verifying a token `n` times. */
export async function time({ n, ...request }) {
  const times = [];
  for (let i = 0; i < n; i += 1) {
    const start = performance.now();
    await verify(request);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(n / 2)];
}
