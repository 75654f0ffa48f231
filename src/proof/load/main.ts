/** What runs in the pod of clients, bundled: `node main.mjs SECRETS PORT`. */
import { serveTraffic } from "./server.ts";

const [secrets = "", port = ""] = process.argv.slice(2);
process.once("SIGTERM", () => process.exit());
await serveTraffic(secrets, "0.0.0.0", Number(port));
