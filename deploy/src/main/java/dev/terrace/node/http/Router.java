package dev.terrace.node.http;

import dev.terrace.api.BadInputException;
import dev.terrace.api.ClosedException;
import dev.terrace.api.CodecException;
import dev.terrace.api.InterruptedCallException;
import dev.terrace.api.LoaderException;
import dev.terrace.api.OriginWriteException;
import dev.terrace.api.RejectedException;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.TerraceException;
import dev.terrace.api.UnavailableException;
import dev.terrace.config.ServerSettings;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Picks the handler of a request by method and path, checks the token first, and turns failures into problems. */
final class Router extends Handler.Abstract {
    private static final Logger LOG = LoggerFactory.getLogger(Router.class);

    private final ServerSettings settings;
    private final Duration bodyGrace;
    private final List<Route> routes = new ArrayList<>();

    /** Answers one kind of request. */
    @FunctionalInterface
    interface Endpoint {
        void handle(Exchange exchange) throws Exception;
    }

    /** A pattern such as {@code /v1/caches/*}; a star stands for one part of the path, two at the end for the rest. */
    private record Route(String method, List<String> pattern, boolean open, Endpoint endpoint) {
        boolean matchesPath(List<byte[]> segments) {
            for (int i = 0; i < pattern.size(); i++) {
                String part = pattern.get(i);
                if (part.equals("**")) {
                    return segments.size() >= i;
                }
                if (i >= segments.size() || !part.equals("*") && !part.equals(RawPath.text(segments.get(i)))) {
                    return false;
                }
            }
            return segments.size() == pattern.size();
        }
    }

    Router(ServerSettings settings, Duration bodyGrace) {
        this.settings = settings;
        this.bodyGrace = bodyGrace;
    }

    Router on(String method, String pattern, Endpoint endpoint) {
        routes.add(new Route(method, List.of(pattern.substring(1).split("/", -1)), false, endpoint));
        return this;
    }

    /** A route that needs no token. */
    Router open(String method, String pattern, Endpoint endpoint) {
        routes.add(new Route(method, List.of(pattern.substring(1).split("/", -1)), true, endpoint));
        return this;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        Exchange exchange = new Exchange(request, response, callback, settings.maxBodyBytes(), bodyGrace);
        try {
            dispatch(exchange);
        } catch (Throwable e) {
            // Errors too: whoever waits for the answer must get one.
            answerFailure(exchange, response, callback, e);
        }
        return true;
    }

    private void dispatch(Exchange exchange) throws Exception {
        refuseOtherSites(exchange);
        Set<String> allowed = new TreeSet<>();
        for (Route route : routes) {
            if (route.matchesPath(exchange.segments())) {
                if (route.method().equals(exchange.method())) {
                    if (!route.open()) {
                        authorize(exchange);
                    }
                    route.endpoint().handle(exchange);
                    return;
                }
                allowed.add(route.method());
            }
        }
        authorize(exchange);
        if (allowed.isEmpty()) {
            throw new HttpProblem(404, "Not found", "there is nothing at this path; GET / lists what there is");
        }
        exchange.with("Allow", String.join(", ", allowed));
        throw new HttpProblem(405, "Method not allowed", "this path takes " + String.join(", ", allowed));
    }

    /**
     * A page in a browser on this machine can send requests here too. Without a token it is kept out by what browsers always
     * say: the name they looked up, and the site a change comes from.
     */
    private void refuseOtherSites(Exchange exchange) {
        String host = exchange.host();
        if (settings.token() == null && host != null && !ServerSettings.isLoopback(host)) {
            throw new HttpProblem(
                    403, "Forbidden", "this node without a token is asked by loopback names only, not '" + host + "'");
        }
        String site = exchange.header("Origin");
        if (site != null && !exchange.method().equals("GET") && !site.equals("http://" + exchange.header("Host"))) {
            throw new HttpProblem(403, "Forbidden", "changes from another site's pages are refused");
        }
    }

    private void authorize(Exchange exchange) {
        if (settings.token() == null) {
            return;
        }
        String expected = "Bearer " + settings.token().reveal();
        String given = exchange.header("Authorization");
        boolean right = given != null
                && MessageDigest.isEqual(
                        given.getBytes(StandardCharsets.UTF_8), expected.getBytes(StandardCharsets.UTF_8));
        if (!right) {
            exchange.with("WWW-Authenticate", "Bearer");
            throw new HttpProblem(401, "Unauthorized", "send the node's token: Authorization: Bearer TOKEN");
        }
    }

    private static Map<String, Object> receipt(ReplicationException few) {
        return ReceiptJson.tree(few.receipt());
    }

    private static void answerFailure(Exchange exchange, Response response, Callback callback, Throwable e) {
        if (response.isCommitted()) {
            callback.failed(e);
            return;
        }
        if (e instanceof LoaderException && e.getCause() instanceof BadInputException badKey) {
            // The origin refused the key itself, which is the caller's to mend.
            answerFailure(exchange, response, callback, badKey);
            return;
        }
        String detail = String.valueOf(e.getMessage());
        if (e instanceof HttpProblem problem) {
            exchange.problem(problem.status(), problem.title(), detail);
        } else if (e instanceof BadInputException) {
            boolean tooLong = detail.contains("exceeds");
            exchange.problem(tooLong ? 413 : 400, tooLong ? "Content too large" : "Bad request", detail);
        } else if (e instanceof CodecException) {
            exchange.problem(409, "Conflict", detail);
        } else if (e instanceof LoaderException failed) {
            boolean timeout = failed.getCause() == null;
            exchange.problem(timeout ? 504 : 502, timeout ? "Origin too slow" : "Origin failed", detail);
        } else if (e instanceof OriginWriteException write) {
            exchange.problem(
                    write.isUnknown() ? 504 : 502,
                    write.isUnknown() ? "Origin may have taken it" : "Origin took no write",
                    detail,
                    Map.of("outcome", write.isUnknown() ? "unknown" : "failed"));
        } else if (e instanceof ReplicationException few) {
            // Too few copies: how far it came, and whether it may have happened, is what the caller needs to go on.
            exchange.with("Retry-After", "1")
                    .problem(
                            503,
                            "Too few copies",
                            detail,
                            Map.of("outcome", few.isUnknown() ? "unknown" : "failed", "receipt", receipt(few)));
        } else if (e instanceof RejectedException refused) {
            long seconds = Math.max(1, refused.retryAfter().plusMillis(999).toSeconds());
            exchange.with("Retry-After", Long.toString(seconds)).problem(503, "Refused", detail);
        } else if (e instanceof UnavailableException
                || e instanceof ClosedException
                || e instanceof InterruptedCallException) {
            exchange.with("Retry-After", "1").problem(503, "Unavailable", detail);
        } else if (e instanceof TerraceException) {
            exchange.problem(500, "Failed", detail);
        } else {
            LOG.error("request failed", e);
            exchange.problem(500, "Internal error", "see the node's log");
        }
    }
}
