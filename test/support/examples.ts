/** The clients that docs/security.md shows, with what a service mounts. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { renderClient } from "../../src/clients/files.ts";
import { identities } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import { type Outcome, temporaryFolder } from "../cli/circl.ts";
import { realModel } from "./definitions.ts";
import { type Backbone, startBackbone } from "./identities.ts";
import { applyAll } from "./permission-suite.ts";

export const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
/** What every example prints. */
export const SAID = "stored in circl_oms\nhandled circl.oms.command.cancel\n";

/** Runs the page's example as oms of production, with the Secret of oms where it looks for it. */
export async function runExample(
  language: "js" | "go" | "python",
  run: (script: string) => Promise<Outcome>,
): Promise<Outcome> {
  const text = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? "";
  expect(text).toContain("/etc/circl");
  const model = realModel("production");
  await using backbone = await startBackbone(model);
  await applyAll(backbone, model);
  const bff = await backbone.as("bff");
  await bff.jetstream().publish("circl.oms.command.cancel", "{}");
  await bff.close();
  using folder = temporaryFolder();
  mount(folder.path, "oms", model, backbone);
  return await run(text.replace("/etc/circl", folder.path));
}

/** Writes what the service would mount, with the servers of this test in the place of the Service. */
function mount(folder: string, service: string, model: Model, { cluster, credentials }: Backbone): void {
  const identity = identities(model).find(({ name }) => name === service);
  if (!identity) throw new Error(`no identity ${service}`);
  const ca = readFileSync(cluster.target().tls?.ca ?? "", "utf8");
  const { "nats.json": settings = "", ...files } = renderClient(identity, model, {
    ...credentials.clients[service],
    ca,
  });
  const here = { ...JSON.parse(settings), servers: cluster.target().servers.map((server) => `tls://${server}`) };
  for (const [name, text] of Object.entries({ ...files, "nats.json": JSON.stringify(here) })) {
    writeFileSync(join(folder, name), text);
  }
}
