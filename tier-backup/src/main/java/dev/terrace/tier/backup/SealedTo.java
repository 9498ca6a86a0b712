package dev.terrace.tier.backup;

import dev.terrace.spi.BlobSource;
import dev.terrace.tier.backup.repo.Envelope;
import dev.terrace.tier.backup.repo.Sha256;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/** Seals backups to keys that lie offline: whoever has this machine cannot read what it sent before. */
final class SealedTo implements Envelope {
    private static final int NAME_BYTES = 8;

    private final List<Recipient> recipients;
    private final String suffix;
    private final int headBytes;
    private final SecureRandom random = new SecureRandom();

    /** @param recipients 1 to 32 */
    SealedTo(List<Recipient> recipients) {
        this.recipients = recipients.stream()
                .distinct()
                .sorted(Comparator.comparing(Recipient::toString))
                .toList();
        this.headBytes = BoxHeader.length(this.recipients.size());
        MessageDigest digest = Sha256.digest();
        this.recipients.forEach(recipient -> digest.update(recipient.bytes()));
        this.suffix = ".box-" + HexFormat.of().formatHex(digest.digest(), 0, NAME_BYTES);
    }

    private BoxHeader header() throws IOException {
        try {
            return BoxHeader.create(recipients, SealedBox.CHUNK_POWER, random);
        } catch (GeneralSecurityException e) {
            throw new IOException("sealing a box failed", e);
        }
    }

    /** Names the recipients: with others, everything is sent again. */
    @Override
    public String suffix() {
        return suffix;
    }

    @Override
    public long length(long plain) {
        return BoxSource.length(headBytes, 1 << SealedBox.CHUNK_POWER, plain);
    }

    @Override
    public BlobSource wrap(BlobSource plain) throws IOException {
        return new BoxSource(header(), plain);
    }
}
