package interop;

import java.util.List;

/**
 * One command of the Python side, a JSON line on standard input.
 *
 * @param reader name of the PC/SC reader
 * @param access {@code bac} or {@code pace}
 * @param can card access number, or null to use the three fields of the MRZ
 * @param documentNumber document number of the MRZ
 * @param dateOfBirth yyMMdd
 * @param dateOfExpiry yyMMdd
 * @param paceOid the PACE offer to take by its object identifier, or null for the first
 * @param files names of the files to read, in this order: EF.CardSecurity, EF.COM, EF.SOD, EF.DG1 …
 * @param extendedLength whether READ BINARY asks for more than a short response
 * @param block most plaintext bytes that a READ BINARY asks for, or null for what fits
 * @param shortFileIds whether files are read by SFI instead of SELECT
 * @param chipAuthentication whether to run it before the files, which are then read under its keys
 * @param activeAuthentication whether to run it after the files
 * @param repeat how often to do all of this, each time with the card reset
 * @param folder where the files of the last reading are written
 */
record Request(
    String reader,
    String access,
    String can,
    String documentNumber,
    String dateOfBirth,
    String dateOfExpiry,
    String paceOid,
    List<String> files,
    boolean extendedLength,
    Integer block,
    boolean shortFileIds,
    boolean chipAuthentication,
    boolean activeAuthentication,
    int repeat,
    String folder) {

  /** Hides the password. */
  @Override
  public String toString() {
    return "Request[" + access + "]";
  }
}
