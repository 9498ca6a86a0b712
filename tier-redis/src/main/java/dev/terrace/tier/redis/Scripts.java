package dev.terrace.tier.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.redisson.api.RScript;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.StringCodec;

/**
 * The Lua scripts and the only place that loads them. They are run by digest, and Redisson never loads one by itself: a
 * server whose script cache is empty, because it restarted or was promoted, says so, and whoever asked decides here.
 */
final class Scripts {
    /** Stores an envelope if a condition holds. */
    static final Script STORE = Script.read("store-v1.lua");

    /** Removes an entry that is not newer than a version. */
    static final Script RECLAIM = Script.read("reclaim-v1.lua");

    /** Claims a lease. */
    static final Script LEASE_CLAIM = Script.read("lease-claim-v1.lua");

    /** Renews a lease or gives it back. */
    static final Script LEASE_KEEP = Script.read("lease-keep-v1.lua");

    /** Takes tokens from a bucket. */
    static final Script RATE_TAKE = Script.read("rate-take-v1.lua");

    /** Lengthens the life of an envelope. */
    static final Script PROLONG = Script.read("prolong-v1.lua");

    /** What a tier runs. */
    private static final List<Script> OF_A_TIER = List.of(STORE, RECLAIM, LEASE_CLAIM, LEASE_KEEP, RATE_TAKE, PROLONG);

    /** Tells where the log of notices stands. */
    static final Script LOG_BEGIN = Script.read("log-begin-v1.lua");

    /** Appends to the log of notices. */
    static final Script LOG_APPEND = Script.read("log-append-v1.lua");

    private Scripts() {}

    /** Loads every script into every primary of the deployment. */
    static CompletionStage<Void> load(RedissonClient client) {
        RScript scripts = client.getScript(StringCodec.INSTANCE);
        return CompletableFuture.allOf(OF_A_TIER.stream()
                .map(script -> scripts.scriptLoadAsync(script.text()).toCompletableFuture())
                .toArray(CompletableFuture[]::new));
    }

    /** The text of a resource beside this class. */
    static String resource(String resource) {
        try (InputStream in = Scripts.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("script missing from the jar: " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A script's text and the digest by which servers know it. */
    record Script(String text, String digest) {
        static Script read(String resource) {
            return of(resource(resource));
        }

        static Script of(String text) {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
                return new Script(text, HexFormat.of().formatHex(digest));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-1", e);
            }
        }
    }
}
