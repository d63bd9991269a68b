package interop;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.TerminalFactory;
import org.jmrtd.BACKey;
import org.jmrtd.DefaultFileSystem;
import org.jmrtd.PACEKeySpec;
import org.jmrtd.PassportService;
import org.jmrtd.lds.CardAccessFile;
import org.jmrtd.lds.CardSecurityFile;
import org.jmrtd.lds.ChipAuthenticationInfo;
import org.jmrtd.lds.ChipAuthenticationPublicKeyInfo;
import org.jmrtd.lds.PACEInfo;
import org.jmrtd.lds.SecurityInfo;
import org.jmrtd.lds.icao.DG14File;
import org.jmrtd.protocol.PACECAMResult;
import org.jmrtd.protocol.PACEResult;
import org.jmrtd.protocol.ReadBinaryAPDUSender;

/** One reading of a card with JMRTD, in the order of Doc 9303-11, 4.2. */
final class Reading {
  private static final String CARD_SECURITY = "EF.CardSecurity";
  private static final String DG14 = "EF.DG14";
  private static final String DG15 = "EF.DG15";

  /** The JDK receives 8192 bytes with the status word (pcsc.c, MAX_STACK_BUFFER_SIZE). */
  private static final int MAX_ANSWER = 8190;

  /** What AES secure messaging leaves of it: 510 cipher blocks with at least one byte padding. */
  private static final int MAX_BLOCK = 8159;

  private final Request request;
  private final Reply reply;
  private final PassportService service;
  private final CountingCardService card;
  private final Map<String, byte[]> files = new LinkedHashMap<>();

  private Reading(Request request, Reply reply, CardTerminal terminal) {
    this.request = request;
    this.reply = reply;
    this.card = new CountingCardService(terminal);
    int answer =
        request.extendedLength() ? MAX_ANSWER : PassportService.NORMAL_MAX_TRANCEIVE_LENGTH;
    this.service = new PassportService(card, answer, block(), request.shortFileIds(), true);
  }

  /** Performs a request; a failure is part of the reply. */
  static Reply perform(Request request) {
    Reply reply = new Reply();
    try {
      reply.step = "connect";
      CardTerminal terminal = TerminalFactory.getDefault().terminals().getTerminal(request.reader());
      for (int i = 0; i < Math.max(1, request.repeat()); i++) {
        new Reading(request, reply, terminal).run();
      }
      reply.step = null;
    } catch (Exception error) {
      reply.error = describe(error);
    }
    return reply;
  }

  private void run() throws Exception {
    reply.step = "connect";
    service.open();
    try {
      long start = System.nanoTime();
      open();
      if (request.chipAuthentication()) {
        authenticateChip();
      }
      int commands = card.count();
      for (String name : request.files()) {
        if (!files.containsKey(name)) {
          read(name);
        }
      }
      if (request.chipAuthentication() && card.count() > commands) {
        // Proven by files that came under keys which only the genuine chip can derive.
        reply.chipAuthentication = "ok";
      }
      byte[] challenge = SecureRandom.getSeed(8);
      byte[] signature = request.activeAuthentication() ? sign(challenge) : null;
      reply.milliseconds.add((System.nanoTime() - start) / 1e6);
      reply.apdus.add(card.count());
      verify(challenge, signature);
    } finally {
      service.close();
    }
  }

  private void open() throws Exception {
    if (request.access().equals("bac")) {
      reply.step = "bac";
      service.sendSelectApplet(false);
      service.doBAC(mrz());
      reply.protocol = "BAC";
      return;
    }
    reply.step = "EF.CardAccess";
    CardAccessFile cardAccess =
        new CardAccessFile(service.getInputStream(PassportService.EF_CARD_ACCESS));
    PACEInfo offer = choose(cardAccess.getSecurityInfos());
    reply.step = "pace";
    PACEKeySpec password =
        request.can() != null
            ? PACEKeySpec.createCANKey(request.can())
            : PACEKeySpec.createMRZKey(mrz());
    PACEResult result =
        service.doPACE(
            password,
            offer.getObjectIdentifier(),
            PACEInfo.toParameterSpec(offer.getParameterId()),
            offer.getParameterId());
    reply.protocol = offer.getObjectIdentifier() + "/" + offer.getParameterId();
    if (request.files().contains(CARD_SECURITY)) {
      readCardSecurity(result);
    }
    reply.step = "select application";
    service.sendSelectApplet(true);
  }

  private PACEInfo choose(Iterable<SecurityInfo> infos) {
    for (SecurityInfo info : infos) {
      if (info instanceof PACEInfo pace
          && (request.paceOid() == null || request.paceOid().equals(pace.getObjectIdentifier()))) {
        return pace;
      }
    }
    throw new IllegalStateException("no such PACEInfo");
  }

  private BACKey mrz() {
    return new BACKey(request.documentNumber(), request.dateOfBirth(), request.dateOfExpiry());
  }

  /** Reads the file while the master file is selected, which PassportService itself does bare. */
  private void readCardSecurity(PACEResult result) throws Exception {
    reply.step = CARD_SECURITY;
    DefaultFileSystem root = new DefaultFileSystem(new ReadBinaryAPDUSender(card), false);
    root.setWrapper(result.getWrapper());
    root.selectFile(PassportService.EF_CARD_SECURITY);
    int length = root.getSelectedPath()[0].getFileLength();
    ByteArrayOutputStream content = new ByteArrayOutputStream(length);
    while (content.size() < length) {
      int wanted = Math.min(length - content.size(), PassportService.DEFAULT_MAX_BLOCKSIZE);
      content.write(root.readBinary(content.size(), wanted));
    }
    keep(CARD_SECURITY, content.toByteArray());
    if (result instanceof PACECAMResult mapping) {
      reply.step = "chip authentication mapping";
      CardSecurityFile file = new CardSecurityFile(new ByteArrayInputStream(content.toByteArray()));
      reply.chipAuthenticationMapping =
          Verification.ofMapping(mapping, file.getSecurityInfos()) ? "ok" : "failed";
    }
  }

  private void authenticateChip() throws Exception {
    DG14File dg14 = new DG14File(new ByteArrayInputStream(read(DG14)));
    reply.step = "chip authentication";
    ChipAuthenticationInfo info = dg14.getChipAuthenticationInfos().get(0);
    ChipAuthenticationPublicKeyInfo key =
        dg14.getChipAuthenticationPublicKeyInfos().stream()
            .filter(k -> info.getKeyId() == null || info.getKeyId().equals(k.getKeyId()))
            .findFirst()
            .orElseThrow();
    service.doEACCA(
        info.getKeyId(),
        info.getObjectIdentifier(),
        key.getObjectIdentifier(),
        key.getSubjectPublicKey());
  }

  private byte[] read(String name) throws Exception {
    reply.step = name;
    return keep(name, service.getInputStream(Files.fid(name), block()).readAllBytes());
  }

  private int block() {
    if (request.block() != null) {
      return request.block();
    }
    return request.extendedLength() ? MAX_BLOCK : PassportService.DEFAULT_MAX_BLOCKSIZE;
  }

  private byte[] sign(byte[] challenge) throws Exception {
    byte[] key = files.containsKey(DG15) ? files.get(DG15) : read(DG15);
    reply.step = "active authentication";
    return service.doAA(Verification.publicKey(key), null, null, challenge).getResponse();
  }

  private void verify(byte[] challenge, byte[] signature) throws Exception {
    reply.step = "verification";
    reply.unparsed.clear();
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      if (Files.isParsedByJmrtd(file.getKey()) && !Files.parses(file.getKey(), file.getValue())) {
        reply.unparsed.add(file.getKey());
      }
    }
    if (signature != null) {
      boolean is = Verification.ofSignature(files.get(DG15), files.get(DG14), challenge, signature);
      reply.activeAuthentication = is ? "ok" : "failed";
    }
    if (files.containsKey("EF.SOD")) {
      reply.securityObject = Verification.ofSecurityObject(files) ? "ok" : "failed";
    }
  }

  private byte[] keep(String name, byte[] content) throws Exception {
    files.put(name, content);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
    reply.files.put(
        name, new Reply.FileDigest(HexFormat.of().formatHex(digest), content.length));
    if (request.folder() != null) {
      java.nio.file.Files.write(Path.of(request.folder(), name + ".bin"), content);
    }
    return content;
  }

  /** Names the exceptions and where they come from; their messages hold APDUs. */
  private static List<String> describe(Throwable error) {
    List<String> chain = new ArrayList<>();
    for (Throwable e = error; e != null && chain.size() < 8; e = e.getCause()) {
      StackTraceElement[] trace = e.getStackTrace();
      chain.add(e.getClass().getName() + (trace.length == 0 ? "" : " at " + trace[0]));
    }
    return chain;
  }
}
