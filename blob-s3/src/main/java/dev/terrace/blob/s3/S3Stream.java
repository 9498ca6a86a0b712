package dev.terrace.blob.s3;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * A range of an object as a stream that goes on where an answer broke off, as long as it is the same version of the object. Each read waits for at most the
 * socket's timeout. For one thread.
 */
final class S3Stream extends InputStream {
    /** In a row, without a byte between them. */
    private static final int MOST_RESUMES = 3;

    private static final int FIRST_DELAY_MILLIS = 50;
    /** Reading so little to its end keeps the connection, and costs less than a new one. */
    private static final long SHORT = 64 << 10;

    private final String name;
    private final S3Reads reads;
    private final String tag;
    private ResponseInputStream<GetObjectResponse> answer;
    private long offset;
    private long left;
    private int resumes;
    private boolean closed;

    S3Stream(String name, long offset, long length, S3Reads reads, ResponseInputStream<GetObjectResponse> answer) {
        this.name = name;
        this.offset = offset;
        this.left = length;
        this.reads = reads;
        this.answer = answer;
        tag = answer.response().eTag();
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int start, int length) throws IOException {
        if (closed) {
            throw new IOException(name + " is closed");
        }
        if (length == 0) {
            return 0;
        }
        if (left == 0) {
            return -1;
        }
        try {
            int count = piece(into, start, (int) Math.min(length, left));
            offset += count;
            left -= count;
            resumes = 0;
            reads.came(count);
            return count;
        } catch (BlobException e) {
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(new BlobException(Kind.INTERRUPTED, "interrupted at " + name, e));
        }
    }

    private int piece(byte[] into, int start, int length) throws BlobException, InterruptedException {
        while (true) {
            reads.alive(name);
            Exception why;
            try {
                int count = answer.read(into, start, length);
                if (count > 0) {
                    return count;
                }
                why = new IOException("the answer ended " + left + " bytes early");
            } catch (IOException | RuntimeException e) {
                why = e;
            }
            answer.abort();
            reads.alive(name);
            if (++resumes > MOST_RESUMES) {
                throw new BlobException(
                        Kind.UNAVAILABLE,
                        "reading " + name + " broke off at " + offset + ": " + S3Failures.reason(why),
                        why);
            }
            long most = (long) FIRST_DELAY_MILLIS << resumes;
            TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextLong(most));
            answer = reads.get(name, offset, left, tag);
        }
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        if (left > SHORT) {
            answer.abort();
        } else {
            answer.close();
        }
    }
}
