/**
 * A real S3 server for tests, {@link dev.terrace.testkit.s3.S3Server}, and {@link dev.terrace.testkit.s3.FaultyS3}, which stands before one and does what S3
 * servers and networks do on bad days. Whoever uses the server names s3proxy and what it needs as dependencies of its own tests.
 */
@NullMarked
package dev.terrace.testkit.s3;

import org.jspecify.annotations.NullMarked;
