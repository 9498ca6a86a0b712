package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.Unavailability;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.redisson.client.RedisBusyException;
import org.redisson.client.RedisClusterDownException;
import org.redisson.client.RedisConnectionException;
import org.redisson.client.RedisException;
import org.redisson.client.RedisLoadingException;
import org.redisson.client.RedisNoScriptException;
import org.redisson.client.RedisNodeNotFoundException;
import org.redisson.client.RedisOutOfMemoryException;
import org.redisson.client.RedisReadonlyException;
import org.redisson.client.RedisReconnectedException;
import org.redisson.client.RedisResponseTimeoutException;
import org.redisson.client.RedisTimeoutException;
import org.redisson.client.RedisTryAgainException;
import org.redisson.client.WriteRedisConnectionException;

/** What proves that a zone did nothing is told from what proves nothing. */
class ZoneFailuresTest {
    @Test
    @Tag("F14")
    @Tag("F23")
    void onlyWhatTheServerSaidIsARefusal() {
        Map<Throwable, Unavailability> causes = new LinkedHashMap<>();
        causes.put(new RedisException("WRONGTYPE Operation against a key"), Unavailability.ERROR);
        causes.put(new RedisException("NOPERM this user has no permissions"), Unavailability.ERROR);
        causes.put(new RedisReadonlyException("READONLY You can't write"), Unavailability.ERROR);
        causes.put(new RedisLoadingException("LOADING Redis is loading"), Unavailability.ERROR);
        causes.put(new RedisClusterDownException("CLUSTERDOWN Hash slot not served"), Unavailability.ERROR);
        causes.put(new RedisTryAgainException("TRYAGAIN"), Unavailability.ERROR);
        causes.put(new RedisOutOfMemoryException("command not allowed"), Unavailability.STORAGE);
        causes.put(new RedisException("MISCONF Redis is configured to save"), Unavailability.STORAGE);
        causes.put(new RedisBusyException("BUSY Redis is busy"), Unavailability.OVERLOADED);
        causes.put(new RedisNoScriptException("NOSCRIPT No matching script"), Unavailability.FORGETFUL);
        causes.put(new RedisException("FORGETFUL the server is not a primary"), Unavailability.FORGETFUL);

        causes.put(new RedisTimeoutException("no answer"), Unavailability.TIMEOUT);
        causes.put(new RedisResponseTimeoutException("no answer"), Unavailability.TIMEOUT);
        causes.put(new RedisConnectionException("lost"), Unavailability.DISCONNECTED);
        causes.put(new WriteRedisConnectionException("not written", new IOException()), Unavailability.DISCONNECTED);
        causes.put(new RedisNodeNotFoundException("no node"), Unavailability.DISCONNECTED);
        causes.put(new RedisReconnectedException("again"), Unavailability.DISCONNECTED);
        causes.put(new IOException("Improper line ending: 1, 2"), Unavailability.DISCONNECTED);
        causes.put(new IllegalStateException("Can't decode replay: rubbish"), Unavailability.DISCONNECTED);
        causes.put(new NumberFormatException("an answer cut short"), Unavailability.DISCONNECTED);
        causes.put(new RedisException("wrapped", new IllegalStateException("?")), Unavailability.DISCONNECTED);
        causes.forEach((failure, cause) -> {
            assertThat(ZoneFailures.cause(failure)).as("%s", failure).isEqualTo(cause);
            assertThat(ZoneFailures.cause(new CompletionException(failure)))
                    .as("wrapped %s", failure)
                    .isEqualTo(cause);
        });
    }
}
