// A chat server for bench/bff.py: streams as many chunks as the question asks for, at its pace.
// The question holds JSON: {"chunks": 500, "pause_ms": 0, "thinking": 0}, the last one a count of
// chunks that come before the answer, at full speed. Each piece of text ends with the moment it was
// sent, in microseconds of the monotonic clock. Usage: node upstream.mjs PORT
import http from "node:http";

const now_us = () => String(process.hrtime.bigint() / 1000n);

function event(delta, finish = null) {
  const chunk = {
    id: "930c60df-bf64-41c9-a88e-3ec75f81e00e",
    object: "chat.completion.chunk",
    created: 1763779200,
    model: "bench",
    system_fingerprint: "fp_a49d71b8a1",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function finish(response) {
  response.end(event({ content: "" }, "stop") + "data: [DONE]\n\n");
}

// As fast as the socket takes it: one write a chunk, as a model server does.
function pour(response, thinking, left) {
  while (thinking + left > 0) {
    const delta =
      thinking > 0
        ? { content: null, reasoning_content: `想${now_us()}` }
        : { content: `词${now_us()}` };
    if (thinking > 0) thinking -= 1;
    else left -= 1;
    if (!response.write(event(delta))) {
      response.once("drain", () => pour(response, thinking, left));
      return;
    }
    if ((thinking + left) % 64 === 0) {
      setImmediate(() => pour(response, thinking, left));
      return;
    }
  }
  finish(response);
}

function pace(response, left, pause_ms) {
  const started = performance.now();
  let sent = 0;
  const step = () => {
    if (response.destroyed) return;
    if (sent === left) {
      finish(response);
      return;
    }
    response.write(event({ content: `词${now_us()}` }));
    sent += 1;
    setTimeout(step, Math.max(0, started + sent * pause_ms - performance.now()));
  };
  step();
}

// Idle connections stay: one that is closed the moment it is used again is no part of this.
http
  .createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      if (request.method !== "POST") {
        response.writeHead(404).end();
        return;
      }
      const body = JSON.parse(Buffer.concat(parts));
      if (!body.stream) {
        // The pages ask for a title in this way.
        const message = { role: "assistant", content: "bench" };
        response.writeHead(200, { "Content-Type": "application/json" });
        response.end(JSON.stringify({ choices: [{ message, finish_reason: "stop" }] }));
        return;
      }
      const { chunks, pause_ms, thinking = 0 } = JSON.parse(body.messages.at(-1).content);
      response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
      if (pause_ms > 0) pace(response, chunks, pause_ms);
      else pour(response, thinking, chunks);
    });
  })
  .listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
