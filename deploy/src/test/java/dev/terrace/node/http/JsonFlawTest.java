package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who sends what is no JSON is told where and why, in words of this project's and nothing of the parser's settings. */
class JsonFlawTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{\"key\": \"a\" | line 1, column 12: it ends before",
                "{\"key\": \"a    | it ends before",
                "{              | it ends before",
                "[1, [2, 3      | it ends before",
                "{key: 1}       | line 1, column 2: Unexpected character ('k'",
                "{\"key\": hello} | line 1, column 9: Unrecognized token 'hello'",
                "{\"a\": 1]}     | line 1, column 8: Unexpected close marker ']'",
                "{\"a\": 01}     | line 1, column 8: Invalid numeric value",
            })
    void whatIsWrongIsToldWithItsPlace(String body, String told) {
        JsonProcessingException flaw =
                catchThrowableOfType(JsonProcessingException.class, () -> new ObjectMapper().readTree(body.getBytes()));
        assertThat(JsonFlaw.of(flaw))
                .contains(told)
                .doesNotContain("Source")
                .doesNotContain("REDACTED")
                .doesNotContain("\n")
                .startsWith("line 1, column ")
                .hasSizeLessThan(260);
    }
}
