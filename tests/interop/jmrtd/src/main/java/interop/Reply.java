package interop;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The answer to a request, a JSON line on standard output. Holds no content of any file. */
final class Reply {
  /** SHA-256 and length of a file. */
  record FileDigest(String sha256, int length) {}

  /** What ended the reading early: exception classes with their origin, outermost first. */
  List<String> error;

  /** The step that was under way last. */
  String step;

  /** BAC, or the object identifier of PACE with its parameter id: {@code 0.4.0…/13}. */
  String protocol;

  final Map<String, FileDigest> files = new LinkedHashMap<>();

  /** Names of the files that JMRTD has a parser for and that it refuses. */
  final List<String> unparsed = new ArrayList<>();

  /** {@code ok} or {@code failed}; null where it was not asked for. */
  String chipAuthentication;

  String activeAuthentication;

  /** Chip Authentication Mapping, verified against EF.CardSecurity. */
  String chipAuthenticationMapping;

  /** Signature of EF.SOD under its own certificate, and the hashes of the files read. */
  String securityObject;

  /** Command APDUs of each reading. */
  final List<Integer> apdus = new ArrayList<>();

  /** Milliseconds of each reading, the connected card to the last answer. */
  final List<Double> milliseconds = new ArrayList<>();
}
