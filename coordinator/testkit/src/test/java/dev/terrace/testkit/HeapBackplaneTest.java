package dev.terrace.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.Backplane;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeapBackplaneTest extends BackplaneContract {
    private final HeapLog log = new HeapLog();

    @Override
    protected Backplane openBackplane() {
        return log.open();
    }

    @Override
    protected void cut(Backplane backplane) {
        ((HeapBackplane) backplane).cut();
    }

    @Override
    protected void mend(Backplane backplane) {
        ((HeapBackplane) backplane).mend();
    }

    @Override
    protected void forgetAll() {
        log.trim(0);
    }

    @Test
    void doesWhatItsSwitchesSay() {
        Node a = join();
        Node b = join();
        HeapBackplane hearing = (HeapBackplane) b.backplane();
        hearing.duplicate(1);
        answer(a.backplane().publish(List.of(change(1, 1))));
        hearing.loseUnseen(1);
        answer(a.backplane().publish(List.of(change(1, 2))));
        hearing.delay();
        answer(a.backplane().publish(List.of(change(1, 3))));
        assertThat(b.heard().changes()).containsExactly(1L, 1L);
        hearing.mend();
        assertThat(b.heard().changes()).containsExactly(1L, 1L, 3L);
        log.refuse(true);
        assertThat(answer(a.backplane().publish(List.of(change(1, 4))))).isEqualTo(Backplane.NOT_KNOWN);
        log.refuse(false);
        log.loseAnswers(true);
        assertThat(answer(a.backplane().publish(List.of(change(1, 5))))).isEqualTo(Backplane.NOT_KNOWN);
        log.loseAnswers(false);
        assertThat(b.heard().gaps()).isZero();
        long before = log.lastPosition();
        log.reset();
        assertThat(b.heard().gaps()).isEqualTo(1);
        assertThat(answer(a.backplane().publish(List.of(change(1, 6))))).isGreaterThan(before);
        assertThat(b.heard().changes()).containsExactly(1L, 1L, 3L, 5L, 6L);
    }
}
