package interop;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.EllipticCurve;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.SHA1Digest;
import org.bouncycastle.crypto.digests.SHA224Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA384Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.engines.RSAEngine;
import org.bouncycastle.crypto.params.RSAKeyParameters;
import org.bouncycastle.crypto.signers.ISO9796d2Signer;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.math.ec.ECPoint;
import org.jmrtd.Util;
import org.jmrtd.lds.ActiveAuthenticationInfo;
import org.jmrtd.lds.ChipAuthenticationPublicKeyInfo;
import org.jmrtd.lds.SODFile;
import org.jmrtd.lds.SecurityInfo;
import org.jmrtd.lds.icao.DG14File;
import org.jmrtd.lds.icao.DG15File;
import org.jmrtd.protocol.PACECAMResult;
import org.jmrtd.protocol.PACEGMMappingResult;

/** What JMRTD leaves to its caller, by BouncyCastle's cryptography. */
final class Verification {
  private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

  private Verification() {}

  static PublicKey publicKey(byte[] dg15) throws IOException {
    return new DG15File(new ByteArrayInputStream(dg15)).getPublicKey();
  }

  /** Verifies Active Authentication, Doc 9303-11, 6.1. */
  static boolean ofSignature(byte[] dg15, byte[] dg14, byte[] challenge, byte[] signature)
      throws Exception {
    PublicKey key = publicKey(dg15);
    if (key instanceof RSAPublicKey rsa) {
      return isIso9796(rsa, challenge, signature);
    }
    int size = (((ECPublicKey) key).getParams().getOrder().bitLength() + 7) / 8;
    // BSI TR-03111, 5.2: r and s one after the other; some chips send ECDSA-Sig-Value instead.
    String form = signature.length == 2 * size ? "withPLAIN-ECDSA" : "withECDSA";
    Signature verifier = Signature.getInstance(digestOf(dg14) + form, PROVIDER);
    verifier.initVerify(key);
    verifier.update(challenge);
    return isSignature(verifier, signature);
  }

  /** Returns false also for what BouncyCastle cannot decode, such as ECDSA integers with extra 00. */
  private static boolean isSignature(Signature verifier, byte[] signature) {
    try {
      return verifier.verify(signature);
    } catch (SignatureException malformed) {
      return false;
    }
  }

  /** Verifies ISO/IEC 9796-2 scheme 1 with partial recovery, whichever hash its trailer names. */
  private static boolean isIso9796(RSAPublicKey key, byte[] challenge, byte[] signature) {
    RSAKeyParameters parameters =
        new RSAKeyParameters(false, key.getModulus(), key.getPublicExponent());
    if (isIso9796(parameters, new SHA1Digest(), true, challenge, signature)) {
      return true;
    }
    List<Digest> named =
        List.of(
            new SHA1Digest(),
            new SHA224Digest(),
            new SHA256Digest(),
            new SHA384Digest(),
            new SHA512Digest());
    return named.stream().anyMatch(d -> isIso9796(parameters, d, false, challenge, signature));
  }

  private static boolean isIso9796(
      RSAKeyParameters key, Digest digest, boolean implicit, byte[] challenge, byte[] signature) {
    ISO9796d2Signer signer = new ISO9796d2Signer(new RSAEngine(), digest, implicit);
    signer.init(false, key);
    try {
      signer.updateWithRecoveredMessage(signature);
    } catch (Exception unfit) {
      return false;
    }
    signer.update(challenge, 0, challenge.length);
    return signer.verifySignature(signature);
  }

  /** Returns the hash that DG14 names for ECDSA. */
  private static String digestOf(byte[] dg14) throws Exception {
    ActiveAuthenticationInfo info =
        new DG14File(new ByteArrayInputStream(dg14)).getActiveAuthenticationInfos().get(0);
    String mnemonic =
        ActiveAuthenticationInfo.lookupMnemonicByOID(info.getSignatureAlgorithmOID());
    return mnemonic.substring(0, mnemonic.indexOf("with"));
  }

  /** Verifies PKMap,IC = CAIC · PKIC, Doc 9303-11, 4.4.3.3.3. */
  static boolean ofMapping(PACECAMResult result, Iterable<SecurityInfo> cardSecurity)
      throws GeneralSecurityException {
    BigInteger data = new BigInteger(1, chipAuthenticationData(result));
    ECPublicKey mapped =
        (ECPublicKey)
            ((PACEGMMappingResult) result.getMappingResult()).getPICCMappingPublicKey();
    for (SecurityInfo info : cardSecurity) {
      if (info instanceof ChipAuthenticationPublicKeyInfo key
          && key.getSubjectPublicKey() instanceof ECPublicKey fixed
          && isSameCurve(fixed.getParams().getCurve(), mapped.getParams().getCurve())) {
        ECPoint expected =
            Util.toBouncyCastleECPoint(fixed.getW(), fixed.getParams()).multiply(data);
        return expected.equals(Util.toBouncyCastleECPoint(mapped.getW(), fixed.getParams()));
      }
    }
    return false;
  }

  /**
   * Decrypts with IV = E(KSEnc, -1) of Doc 9303-11, 4.4.3.5.4, worked in its appendix I. JMRTD 0.8.6
   * takes -1 itself for the IV, so that the first block of its getChipAuthenticationData is wrong.
   */
  private static byte[] chipAuthenticationData(PACECAMResult result)
      throws GeneralSecurityException {
    SecretKey key = result.getWrapper().getEncryptionKey();
    byte[] ones = new byte[16];
    Arrays.fill(ones, (byte) 0xFF);
    Cipher block = Cipher.getInstance("AES/ECB/NoPadding", PROVIDER);
    block.init(Cipher.ENCRYPT_MODE, key);
    Cipher chain = Cipher.getInstance("AES/CBC/NoPadding", PROVIDER);
    chain.init(Cipher.DECRYPT_MODE, key, new IvParameterSpec(block.doFinal(ones)));
    return Util.unpad(chain.doFinal(result.getEncryptedChipAuthenticationData()));
  }

  /** Compares what defines a curve; its seed, which only some encodings carry, does not. */
  private static boolean isSameCurve(EllipticCurve one, EllipticCurve other) {
    return one.getField().equals(other.getField())
        && one.getA().equals(other.getA())
        && one.getB().equals(other.getB());
  }

  /** Verifies the signature of EF.SOD by its own certificate, and the hash of each data group. */
  static boolean ofSecurityObject(Map<String, byte[]> files)
      throws IOException, GeneralSecurityException {
    SODFile sod = new SODFile(new ByteArrayInputStream(files.get("EF.SOD")));
    String algorithm = sod.getDigestEncryptionAlgorithm();
    // JMRTD's own name of PSS is one that no provider knows.
    Signature verifier =
        Signature.getInstance(
            algorithm.endsWith("/PSS") ? "RSASSA-PSS" : algorithm, PROVIDER);
    verifier.initVerify(sod.getDocSigningCertificate());
    if (sod.getDigestEncryptionAlgorithmParams() != null) {
      verifier.setParameter(sod.getDigestEncryptionAlgorithmParams());
    }
    verifier.update(sod.getEContent());
    if (!isSignature(verifier, sod.getEncryptedDigest())) {
      return false;
    }
    MessageDigest digest = MessageDigest.getInstance(sod.getDigestAlgorithm());
    Map<Integer, byte[]> hashes = sod.getDataGroupHashes();
    return files.keySet().stream()
        .filter(Files::isDataGroup)
        .allMatch(n -> Arrays.equals(hashes.get(Files.number(n)), digest.digest(files.get(n))));
  }
}
