// The leaf of an `x5c` header under a pinned root. No library used here looks at certificates.

import { X509Certificate } from "node:crypto";

import { decodeProtectedHeader } from "jose";

/** Return the leaf's certificate as PEM; `at` is in seconds since 1970. */
export function leafOf(token, root, at) {
  const { x5c } = decodeProtectedHeader(token);
  const path = x5c.map((der) => new X509Certificate(Buffer.from(der, "base64")));
  path.push(new X509Certificate(root));
  path.forEach((certificate, index) => {
    const issuer = path[index + 1] ?? certificate;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw new Error("the certificates do not lead to the root");
    }
    if (at * 1000 < Date.parse(certificate.validFrom) || at * 1000 > Date.parse(certificate.validTo)) {
      throw new Error("a certificate is not valid at that time");
    }
  });
  return path[0].toString();
}
