/** Three nats-servers on loopback for benchmarks, ended and removed by `stop`. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requireTools } from "../tools/build.js";

/** @param {string} name of the cluster */
export async function startCluster(name) {
  const { found, missing } = await requireTools(["nats-server"], { build: true });
  const program = found["nats-server"];
  if (!program) throw new Error(missing["nats-server"]);
  const root = mkdtempSync(join(tmpdir(), "circl-bench-"));
  const base = 20_000 + Math.floor(Math.random() * 5_000);
  const ports = [0, 1, 2].map((i) => ({ client: base + i, route: base + 10 + i, monitor: base + 20 + i }));
  const routes = ports.map(({ route }) => `"nats://127.0.0.1:${route}"`).join(", ");
  const servers = ports.map(({ client, route, monitor }, i) => {
    mkdirSync(join(root, String(i)));
    const config = join(root, `${i}.conf`);
    writeFileSync(
      config,
      `server_name: "${name}-${i}"
listen: "127.0.0.1:${client}"
http: "127.0.0.1:${monitor}"
cluster { name: "${name}", listen: "127.0.0.1:${route}", routes: [ ${routes} ] }
jetstream { store_dir: "${join(root, String(i))}", max_memory_store: 256MiB, max_file_store: 64GiB }
`,
    );
    return spawn(program, ["--config", config], { stdio: "ignore" });
  });
  const cluster = {
    urls: ports.map(({ client }) => `127.0.0.1:${client}`),
    async stop() {
      await Promise.all(
        servers.map((server) => server.exitCode ?? new Promise((done) => server.once("exit", done) && server.kill())),
      );
      rmSync(root, { recursive: true, force: true });
    },
  };
  for (const { monitor } of ports) {
    for (let attempt = 0; ; attempt++) {
      const answer = await fetch(`http://127.0.0.1:${monitor}/healthz?js-meta-only=true`).catch(() => undefined);
      if (answer?.status === 200) break;
      if (attempt > 300) {
        await cluster.stop();
        throw new Error("the cluster does not form");
      }
      await sleep(100);
    }
  }
  return cluster;
}
