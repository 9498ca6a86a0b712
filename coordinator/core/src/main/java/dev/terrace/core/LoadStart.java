package dev.terrace.core;

/**
 * Where every load begins, of one key or many, for callers who wait or in the background. A link in a chain: each may keep a load
 * waiting ({@link Load#isOver} tells when that is in vain), answer it ({@link Load#answer}), refuse it ({@link Load#refuse}), or hand it
 * to the next; the last one runs the loader. {@link Load#ended} says when the loader is done, or will never run.
 *
 * <p>Never blocks and never throws. Time spent here counts as the loader's: its timeouts run already.
 */
@FunctionalInterface
interface LoadStart {
    void start(Load load);
}
