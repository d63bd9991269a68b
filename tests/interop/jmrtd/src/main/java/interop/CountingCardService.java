package interop;

import javax.smartcardio.CardException;
import javax.smartcardio.CardTerminal;
import net.sf.scuba.smartcards.CardServiceException;
import net.sf.scuba.smartcards.CommandAPDU;
import net.sf.scuba.smartcards.ResponseAPDU;
import net.sf.scuba.smartcards.TerminalCardService;

/** SCUBA's own PC/SC service, which counts what it sends. */
final class CountingCardService extends TerminalCardService {
  private int count;

  CountingCardService(CardTerminal terminal) {
    super(terminal);
  }

  @Override
  public ResponseAPDU transmit(CommandAPDU command) throws CardServiceException {
    count++;
    return super.transmit(command);
  }

  /** Resets the card, which SCUBA leaves as it is: no session stays open. */
  @Override
  public void close() {
    try {
      // The terminal returns the connection that is open.
      getTerminal().connect("*").disconnect(true);
    } catch (CardException gone) {
      // Nothing to reset.
    }
    super.close();
  }

  int count() {
    return count;
  }
}
