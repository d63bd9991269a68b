package interop;

import java.util.Locale;
import org.jmrtd.PassportService;
import org.jmrtd.lds.LDSFileUtil;

/** File identifiers by the names of Doc 9303-10. */
final class Files {
  private Files() {}

  static short fid(String name) {
    return switch (name) {
      case "EF.CardAccess" -> PassportService.EF_CARD_ACCESS;
      case "EF.CardSecurity" -> PassportService.EF_CARD_SECURITY;
      case "EF.COM" -> PassportService.EF_COM;
      case "EF.SOD" -> PassportService.EF_SOD;
      default -> LDSFileUtil.lookupFIDByTag(LDSFileUtil.lookupTagByDataGroupNumber(number(name)));
    };
  }

  /** Returns the number of a data group. */
  static int number(String name) {
    return Integer.parseInt(name.toUpperCase(Locale.ROOT).substring("EF.DG".length()));
  }

  static boolean isDataGroup(String name) {
    return name.startsWith("EF.DG");
  }
}
