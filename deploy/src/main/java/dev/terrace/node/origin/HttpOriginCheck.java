package dev.terrace.node.origin;

import com.codahale.metrics.health.HealthCheck;
import java.io.IOException;

/**
 * Tries an HTTP origin with a HEAD of its base address. It is well when it answers at all, unless it says itself that it is not: with
 * 502, 503 or 504. Anything else may be how it treats an address that nobody asks for. Blocks, two seconds at most. Thread-safe.
 */
public final class HttpOriginCheck extends HealthCheck {
    private final HttpOrigin origin;

    /** Tries {@code origin}. */
    public HttpOriginCheck(HttpOrigin origin) {
        this.origin = origin;
    }

    @Override
    protected Result check() {
        try {
            int status = origin.head();
            return status >= 502 && status <= 504
                    ? Result.unhealthy("origin " + origin + " answers " + status)
                    : Result.healthy();
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            return Result.unhealthy("origin %s: %s", origin, why);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Result.unhealthy("the check was interrupted");
        }
    }
}
