package dev.terrace.blob.s3;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobSource;
import java.io.IOException;
import java.io.InputStream;

/** Takes parts out of a source, which must have exactly what it promised. */
final class S3Part {
    private S3Part() {}

    static byte[] read(String where, BlobSource source, long offset, int length) throws BlobException {
        try (InputStream in = source.open(offset)) {
            byte[] bytes = in.readNBytes(length);
            boolean last = offset + length == source.length();
            if (bytes.length < length || last && in.read() >= 0) {
                throw new BlobException(
                        Kind.CORRUPT,
                        where + ": the source does not have the " + source.length() + " bytes it promised",
                        null);
            }
            return bytes;
        } catch (IOException e) {
            throw new BlobException(Kind.CORRUPT, where + ": the source cannot be read: " + S3Failures.reason(e), e);
        }
    }
}
