package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.redisson.client.RedisException;

/** What people read of what went wrong: what it means and what to do, and no command's arguments. */
class FailuresTest {
    @Test
    void anothersTypeUnderOurKeyIsSaidWithTheWayOut() {
        String said = Failures.describe(
                new CompletionException(
                        new RedisException(
                                "WRONGTYPE Operation against a key holding the wrong kind of value script: 01ab, on @user_script:49.")));
        assertThat(said).contains("WRONGTYPE").contains("key_prefix").doesNotContain("user_script", "Exception");
    }

    @Test
    void fullMemoryIsSaidAlikeWhoeverHeardOfIt() {
        String said = Failures.describe(new RespException("OOM command not allowed when used memory > 'maxmemory'."));
        assertThat(said).contains("maxmemory", "full").doesNotContain("RespException");
    }

    @Test
    void whatWrapsAnotherFailureIsLookedThrough() {
        String said = Failures.describe(new RedisException(
                "Unexpected exception while processing command", new java.net.ConnectException("Connection refused")));
        assertThat(said).contains("Connection refused").doesNotContain("Unexpected");
    }
}
