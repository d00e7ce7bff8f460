// The contract's GET /stream as a plain Node proxy: what bench/bff.py compares the studio with.
// No dependencies. Usage: node reference_proxy.mjs PORT UPSTREAM_URL
import http from "node:http";

const [port, upstream] = [Number(process.argv[2]), new URL(process.argv[3])];
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

function ask(question) {
  const body = JSON.stringify({
    model: "deepseek-chat",
    messages: [{ role: "user", content: question }],
    stream: true,
  });
  return http.request({
    host: upstream.hostname,
    port: upstream.port,
    path: upstream.pathname,
    method: "POST",
    agent,
    headers: {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
      Authorization: "Bearer bench",
    },
  }).end(body);
}

http
  .createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname !== "/stream") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-cache, no-transform",
      "X-Accel-Buffering": "no",
      "Access-Control-Allow-Origin": "*",
    });
    const asking = ask(url.searchParams.get("question"));
    response.on("close", () => asking.destroy());
    asking.on("error", () => response.end());
    asking.on("response", (reply) => {
      reply.setEncoding("utf8");
      let rest = "";
      reply.on("data", (chunk) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop();
        for (const line of lines) {
          if (!line.startsWith("data:")) continue;
          const data = line.slice(5).trim();
          if (data === "[DONE]") {
            response.write("event: end\ndata: [DONE]\n\n");
            response.end();
            return;
          }
          const piece = JSON.parse(data).choices?.[0]?.delta?.content;
          if (piece) response.write(`data: ${JSON.stringify(piece)}\n\n`);
        }
      });
      reply.on("end", () => response.end());
    });
  })
  .listen(port, "127.0.0.1", () => console.log("ready"));
