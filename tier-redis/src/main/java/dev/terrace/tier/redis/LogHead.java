package dev.terrace.tier.redis;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the log stands.
 *
 * @param identity names the log since it last began
 * @param position of the newest notice
 * @param newest stream id of the newest entry; {@code 0-0} when there is none
 */
record LogHead(String identity, long position, String newest) {
    static LogHead of(@Nullable Object answer) throws IOException {
        if (answer instanceof List<?> fields && fields.size() == 3) {
            String identity = RespConnection.textOf(fields.get(0));
            String position = RespConnection.textOf(fields.get(1));
            String newest = RespConnection.textOf(fields.get(2));
            if (identity != null && position != null && newest != null) {
                try {
                    return new LogHead(identity, Long.parseLong(position), newest);
                } catch (NumberFormatException e) {
                    throw new IOException("the log's head holds no number: " + position, e);
                }
            }
        }
        throw new IOException("the log's head cannot be read");
    }
}
