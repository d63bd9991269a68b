package interop;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Reads cards with JMRTD, one request a line, until standard input ends. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    // JMRTD's log holds APDUs.
    Logger.getLogger("org.jmrtd").setLevel(Level.OFF);
    Logger.getLogger("net.sf.scuba").setLevel(Level.OFF);
    // In front of the JDK's own: its 3DES refuses the 16-byte keys of Doc 9303.
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
    Gson gson = new Gson();
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      output.println(gson.toJson(Reading.perform(gson.fromJson(line, Request.class))));
    }
  }
}
