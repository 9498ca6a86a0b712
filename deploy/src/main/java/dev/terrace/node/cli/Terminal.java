package dev.terrace.node.cli;

import java.io.Console;

/** Whether a person is watching. */
public final class Terminal {
    private Terminal() {}

    /** Java 22 and newer have a console even without a terminal, and a method that tells. */
    @SuppressWarnings("SystemConsoleNull") // both ways are asked
    public static boolean isThere() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true; // Before 22 a console is a terminal.
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }
}
