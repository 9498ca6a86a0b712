package dev.terrace.testkit.s3;

/** What becomes of a request to an S3 server. */
public enum S3Fault {
    /** It reaches the server, and the answer the client. */
    NONE,
    /** 500 InternalError; the server hears nothing. */
    ERROR,
    /** 503 SlowDown; the server hears nothing. */
    SLOW_DOWN,
    /** 403 RequestTimeTooSkewed, from a server whose clock is an hour ahead. */
    SKEWED_CLOCK,
    /** 501 NotImplemented; the server hears nothing. */
    NOT_IMPLEMENTED,
    /** The connection is reset; the server hears nothing. */
    RESET,
    /** The server does it, and the connection is reset in place of an answer. */
    ANSWER_LOST,
    /** The connection stays open and nobody says anything, until the proxy is closed. */
    SILENCE,
    /** Half of the body reaches the server, then both connections are cut. */
    HALF_UPLOAD,
    /** The head of the answer comes whole and its body to the half, then the connection is cut. */
    TRUNCATED_ANSWER,
    /** One bit of the answer's body is changed. */
    FLIPPED_BIT,
    /** 200 with an error in the body; the server hears nothing. */
    ERROR_IN_200,
    /** 404 NoSuchKey: the object is lost. */
    LOST,
    /** An empty listing, whatever there is. */
    STALE_LISTING,
    /** The server never hears of the condition that the object must be absent. */
    CONDITION_STRIPPED;

    /**
     * A request.
     *
     * @param number from 1, in the order in which they came
     * @param method such as GET
     * @param path bucket and key, as sent
     * @param query what stands behind the question mark, or empty
     */
    public record Request(long number, String method, String path, String query) {
        /** Whether this asks what is there. */
        public boolean isListing() {
            return method.equals("GET") && query.contains("list-type=2");
        }

        /** Whether this sends a part of a longer object. */
        public boolean isPart() {
            return method.equals("PUT") && query.contains("partNumber=");
        }

        /** Whether this makes parts an object. */
        public boolean isCompletion() {
            return method.equals("POST") && query.contains("uploadId=");
        }
    }

    /** Decides about each request, on the connection's thread. */
    public interface Plan {
        /** What becomes of it. */
        S3Fault at(Request request);
    }
}
