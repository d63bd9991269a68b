// npm jose: JWS, claims of a JWT, keys.

import {
  CompactSign,
  calculateJwkThumbprint,
  createLocalJWKSet,
  importJWK,
  importX509,
  jwtVerify,
} from "jose";

import { leafOf } from "./chain.mjs";

function options({ typ, issuer, audience, at, skew }) {
  return {
    algorithms: ["ES256"],
    typ,
    issuer,
    audience,
    currentDate: new Date(at * 1000),
    clockTolerance: skew,
    requiredClaims: ["iat"],
  };
}

/** Verify a JWT under the leaf of its `x5c`. */
export async function verify({ token, root, ...expected }) {
  const key = await importX509(leafOf(token, root, expected.at), "ES256");
  const { payload, protectedHeader } = await jwtVerify(token, key, options(expected));
  return { payload, header: protectedHeader };
}

/** Verify a JWT with the keys that an issuer published. */
export async function verifyByKeySet({ token, jwks, ...expected }) {
  const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), options(expected));
  return { payload };
}

/** Verify a JWT under one key. */
export async function verifyByKey({ token, jwk, ...expected }) {
  const { payload } = await jwtVerify(token, await importJWK(jwk, "ES256"), options(expected));
  return { payload };
}

export async function sign({ payload, header, jwk }) {
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  return new CompactSign(bytes).setProtectedHeader(header).sign(await importJWK(jwk, header.alg));
}

export function thumbprint({ jwk }) {
  return calculateJwkThumbprint(jwk, "sha256");
}
