package interop;

import java.io.ByteArrayInputStream;
import java.util.Locale;
import java.util.Set;
import org.jmrtd.PassportService;
import org.jmrtd.lds.LDSFileUtil;

/** File identifiers by the names of Doc 9303-10. */
final class Files {
  private static final Set<Integer> PARSED_DATA_GROUPS = Set.of(1, 2, 5, 7, 11, 12, 14, 15);

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

  /** Returns whether JMRTD has a parser for the file. */
  static boolean isParsedByJmrtd(String name) {
    return switch (name) {
      case "EF.COM", "EF.SOD" -> true;
      default -> isDataGroup(name) && PARSED_DATA_GROUPS.contains(number(name));
    };
  }

  /** Returns whether JMRTD's parser takes the file. */
  static boolean parses(String name, byte[] content) {
    try {
      LDSFileUtil.getLDSFile(fid(name), new ByteArrayInputStream(content));
      return true;
    } catch (Exception refused) {
      return false;
    }
  }

  /** Returns the number of a data group. */
  static int number(String name) {
    return Integer.parseInt(name.toUpperCase(Locale.ROOT).substring("EF.DG".length()));
  }

  static boolean isDataGroup(String name) {
    return name.startsWith("EF.DG");
  }
}
