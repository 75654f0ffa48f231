/** How a command of circl reaches the servers of a test. */
import type { Cluster } from "../support/nats-server.ts";

/** The first server, and a user of it. */
export const as = (cluster: Cluster, user = "sync", password = "loopback-only") => ({
  env: {
    CIRCL_SERVER: `127.0.0.1:${cluster.servers[0]?.clientPort}`,
    CIRCL_USER: user,
    CIRCL_PASSWORD: password,
    CIRCL_TIMEOUT: "2000",
  },
});
