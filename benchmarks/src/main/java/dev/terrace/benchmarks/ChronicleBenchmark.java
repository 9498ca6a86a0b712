package dev.terrace.benchmarks;

import java.util.List;
import org.openjdk.jmh.annotations.Fork;

/** A benchmark whose JVM opens Chronicle Map, which reaches into the JDK. */
@Fork(jvmArgsPrepend = {WarmHits.EXPORT_NIO, WarmHits.EXPORT_JAVAC, WarmHits.OPEN_LANG, WarmHits.OPEN_REFLECT})
abstract class ChronicleBenchmark {
    /** For a JVM that JMH does not start. */
    static List<String> flags() {
        return List.of(ChronicleBenchmark.class.getAnnotation(Fork.class).jvmArgsPrepend());
    }
}
