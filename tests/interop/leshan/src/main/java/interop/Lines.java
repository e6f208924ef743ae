// SPDX-License-Identifier: Apache-2.0
// JSON lines on standard input and output: {"id":1,"op":…} is answered by {"id":1,…}; an event has "event" instead.
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

final class Lines {
    interface Handler {
        void handle(JsonNode request, ObjectNode answer) throws Exception;
    }

    private final ObjectMapper mapper = new ObjectMapper();
    private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    ObjectNode object() {
        return mapper.createObjectNode();
    }

    synchronized void print(ObjectNode line) {
        out.println(line.toString());
        out.flush();
    }

    void event(String name, ObjectNode line) {
        line.put("event", name);
        print(line);
    }

    /** Serves requests, each in a thread of its own, until the input ends or one asks for "quit". */
    void serve(Handler handler) throws IOException {
        ExecutorService threads = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = mapper.readTree(line);
            if (request.path("op").asText().equals("quit")) {
                break;
            }
            threads.submit(() -> answer(handler, request));
        }
        threads.shutdown();
    }

    private void answer(Handler handler, JsonNode request) {
        ObjectNode answer = object();
        try {
            handler.handle(request, answer);
        } catch (Throwable e) {
            answer.put("error", e.toString());
            e.printStackTrace();
        }
        answer.set("id", request.get("id"));
        print(answer);
    }
}
