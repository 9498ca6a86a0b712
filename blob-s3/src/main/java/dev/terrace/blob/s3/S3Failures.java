package dev.terrace.blob.s3;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;

/** What a failure of the SDK's means, without what it says of logins. */
final class S3Failures {
    /** Codes that say more than their status; https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
    private static final Map<String, Kind> BY_CODE = Map.ofEntries(
            Map.entry("NoSuchBucket", Kind.DENIED),
            Map.entry("BadDigest", Kind.CORRUPT),
            Map.entry("InvalidDigest", Kind.CORRUPT),
            Map.entry("IncompleteBody", Kind.CORRUPT),
            Map.entry("XAmzContentSHA256Mismatch", Kind.CORRUPT),
            Map.entry("InvalidRange", Kind.CORRUPT),
            Map.entry("InvalidPart", Kind.CORRUPT),
            Map.entry("RequestTimeout", Kind.UNAVAILABLE),
            Map.entry("SlowDown", Kind.UNAVAILABLE),
            Map.entry("InternalError", Kind.UNAVAILABLE),
            Map.entry("ServiceUnavailable", Kind.UNAVAILABLE),
            Map.entry("NotImplemented", Kind.UNSUPPORTED),
            Map.entry("MethodNotAllowed", Kind.UNSUPPORTED),
            Map.entry("QuotaExceeded", Kind.FULL),
            Map.entry("XMinioStorageFull", Kind.FULL));

    private static final Map<String, String> HINTS = Map.of(
            "NoSuchBucket", "; there is no such bucket",
            "RequestTimeTooSkewed", "; this machine's clock and the store's differ too much",
            "AuthorizationHeaderMalformed", "; the region is wrong",
            "PermanentRedirect", "; the bucket is in another region, or wants another endpoint",
            "InvalidAccessKeyId", "; the store does not know this access_key",
            "SignatureDoesNotMatch", "; the secret_key is wrong, or something on the way changes requests",
            "AccessDenied", "; the login may not do that");

    private S3Failures() {}

    static BlobException of(String where, Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof BlobException known) {
                return known; // Thrown by what the SDK called back.
            }
        }
        return new BlobException(kind(failure), where + ": " + reason(failure), failure);
    }

    private static Kind kind(Throwable failure) {
        if (!(failure instanceof AwsServiceException answer)) {
            return hasNoLogin(failure) ? Kind.DENIED : Kind.UNAVAILABLE;
        }
        Kind byCode = BY_CODE.get(code(answer));
        if (byCode != null) {
            return byCode;
        }
        int status = answer.statusCode();
        if (status == 507) {
            return Kind.FULL;
        }
        if (status == 501 || status == 405) {
            return Kind.UNSUPPORTED;
        }
        if (status == 416) {
            return Kind.CORRUPT;
        }
        return status >= 400 && status < 500 && status != 408 && status != 429 && status != 409
                ? Kind.DENIED
                : Kind.UNAVAILABLE;
    }

    /** The SDK has no exception of its own for a login that is not there. */
    private static boolean hasNoLogin(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        return failure instanceof IllegalStateException
                || message.contains("Unable to load credentials")
                || message.contains("Profile file contained no credentials")
                || message.contains("Unable to load region");
    }

    /** What happened, in a line. Of answers only what the standard gives a name: bodies may repeat requests. */
    static String reason(Throwable failure) {
        if (failure instanceof AwsServiceException answer) {
            String code = code(answer);
            String id = answer.requestId() == null ? "" : ", request " + answer.requestId();
            return "the store answered " + answer.statusCode() + (code.isEmpty() ? "" : " " + code) + id
                    + HINTS.getOrDefault(code, "");
        }
        if (failure instanceof ApiCallTimeoutException || failure instanceof ApiCallAttemptTimeoutException) {
            return "no answer in time";
        }
        String message = failure.getMessage();
        String line = message == null ? failure.getClass().getSimpleName() : message.replaceAll("\\s+", " ");
        return line.length() > 300 ? line.substring(0, 300) + "..." : line;
    }

    private static String code(AwsServiceException answer) {
        AwsErrorDetails details = answer.awsErrorDetails();
        return details == null || details.errorCode() == null ? "" : details.errorCode();
    }

    /** The status of the answer that this failure stems from; 0 when there was none. */
    static int status(@Nullable Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof AwsServiceException answer) {
                return answer.statusCode();
            }
        }
        return 0;
    }

    static boolean isNoSuchBucket(Throwable failure) {
        return failure.getCause() instanceof AwsServiceException answer
                && code(answer).equals("NoSuchBucket");
    }
}
