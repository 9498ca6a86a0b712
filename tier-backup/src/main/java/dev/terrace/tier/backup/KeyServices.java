package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.spi.KeyService;
import dev.terrace.spi.KeyServiceProvider;
import java.io.IOException;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Asks key services, and waits at most {@value #DEADLINE_SECONDS} seconds for each answer. */
final class KeyServices {
    static final int DEADLINE_SECONDS = 20;
    private static final int MOST_WRAPPED = 16 << 10;

    private KeyServices() {}

    /** One call. */
    interface Call {
        byte[] of(KeyService service) throws IOException;
    }

    static byte[] wrap(String name, String key, byte[] secret, byte[] context) {
        byte[] wrapped = ask(name, key, service -> service.wrap(key, secret, context), DEADLINE_SECONDS * 1_000L);
        if (wrapped.length == 0 || wrapped.length > MOST_WRAPPED) {
            throw failed(
                    name, key, "it made " + wrapped.length + " bytes of a key, at most " + MOST_WRAPPED + " fit", null);
        }
        return wrapped;
    }

    static byte[] unwrap(String name, String key, byte[] wrapped, byte[] context) {
        byte[] secret = ask(name, key, service -> service.unwrap(key, wrapped, context), DEADLINE_SECONDS * 1_000L);
        if (secret.length != Hkdf.KEY_BYTES) {
            throw failed(name, key, "it gave " + secret.length + " bytes, not " + Hkdf.KEY_BYTES, null);
        }
        return secret;
    }

    static byte[] ask(String name, String key, Call call, long deadlineMillis) {
        KeyServiceProvider provider = provider(name);
        FutureTask<byte[]> answer = new FutureTask<>(() -> {
            try (KeyService service = provider.open()) {
                return call.of(service);
            }
        });
        // Of its own, because the client of a service may hang.
        Thread thread = new Thread(answer, "terrace-key-service");
        thread.setDaemon(true);
        thread.start();
        try {
            return answer.get(deadlineMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            thread.interrupt();
            throw failed(name, key, "no answer within " + deadlineMillis + " ms", e);
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
            throw failed(name, key, "interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SetupException refused) {
                throw refused;
            }
            Throwable cause = e.getCause();
            throw failed(name, key, String.valueOf(cause == null ? e : cause.getMessage()), e);
        }
    }

    private static KeyServiceProvider provider(String name) {
        TreeSet<String> known = new TreeSet<>();
        for (KeyServiceProvider candidate : ServiceLoader.load(KeyServiceProvider.class)) {
            if (candidate.name().equals(name)) {
                return candidate;
            }
            known.add(candidate.name());
        }
        throw new SetupException(
                "there is no key service '" + name + "'; nothing was changed",
                "set backup_storage.key_service to one of " + known + ", or put the jar of '" + name
                        + "' on the class path");
    }

    private static SetupException failed(String name, String key, String why, @Nullable Exception cause) {
        return new SetupException(
                "key service '" + name + "' does not give key '" + key + "': " + why + "; nothing was changed",
                "check backup_storage.key_name, and that the service can be reached",
                cause);
    }
}
