package dev.terrace.tier.local;

import dev.terrace.api.SetupException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What Chronicle Map needs of the JVM. Asked before Chronicle is touched: it would fail half-way, with an exception that
 * names none of this.
 */
final class RequiredFlags {
    private static final String COMPILER = "jdk.compiler";

    private RequiredFlags() {}

    /** Throws one error that prints the missing flags. */
    static void check() {
        Module mine = RequiredFlags.class.getModule();
        Module base = Object.class.getModule();
        List<String> missing = new ArrayList<>();
        if (!base.isExported("sun.nio.ch", mine)) {
            missing.add("--add-exports=java.base/sun.nio.ch=ALL-UNNAMED");
        }
        Optional<Module> compiler = ModuleLayer.boot().findModule(COMPILER);
        if (compiler.isEmpty()) {
            throw new SetupException(
                    "the local tier compiles classes at run time and this Java runtime has no module " + COMPILER,
                    "run on a JDK, not a JRE, or set local_cache.enabled: false");
        }
        if (!compiler.get().isExported("com.sun.tools.javac.file", mine)) {
            missing.add("--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED");
        }
        if (!base.isOpen("java.lang", mine)) {
            missing.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
        }
        if (!base.isOpen("java.lang.reflect", mine)) {
            missing.add("--add-opens=java.base/java.lang.reflect=ALL-UNNAMED");
        }
        if (!missing.isEmpty()) {
            throw new SetupException(
                    "the local tier needs JVM flags that are missing: " + String.join(" ", missing),
                    "start java with them, put them into the manifest of an executable jar as Add-Exports and"
                            + " Add-Opens, or set local_cache.enabled: false");
        }
    }
}
