/** Who reaches the servers, and what comes through: network policies, and messages as large as they may be. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { NATS, PORTS, SERVICE_LABEL, serviceHost } from "../../../src/kubernetes/names.ts";
import { CLIENTS } from "../../../src/proof/load/clients.ts";
import { eventually } from "../../support/control-plane.ts";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { clientPod, useSite } from "./site.ts";
import { outlives } from "./traffic.ts";

const AWAY = 20_000;
const MEBIBYTE = 1_048_576;

describe.skipIf(cannotBoot()).each(["production", "staging"] as const)("%s", (name) => {
  const model = realModel(name);
  const { clientNamespace } = model.environment.kubernetes;
  const site = useSite(model);

  /** Whether a pod is greeted by a NATS server at the clients' Service. */
  const isGreeted = async (namespace: string, name: string): Promise<boolean> => {
    const host = serviceHost(NATS.clientService, model.environment);
    const greeting = ["sh", "-c", `nc -w 3 ${host} ${PORTS.natsClient} </dev/null | grep -q INFO`];
    return (await site().nodes.pod(namespace, name).containers[0]?.process?.exec(greeting, 20_000)) === 0;
  };

  test("greets services of labelled namespaces and nobody else", async () => {
    await site().kubectl(["create", "namespace", "elsewhere"]);
    const pods = [
      [clientNamespace, "a-service", "dms"],
      [clientNamespace, "nobody", ""],
      ["elsewhere", "a-service-elsewhere", "dms"],
    ] as const;
    for (const [namespace, name, service] of pods) {
      const pod = JSON.stringify(clientPod(namespace, name, service));
      await site().kubectl(["apply", "--server-side", "--filename=-"], pod);
      const ready = ["wait", "--for=condition=Ready", `pod/${name}`, `--namespace=${namespace}`, "--timeout=180s"];
      await site().kubectl(ready);
    }
    const greeted = () => Promise.all(pods.map(([namespace, name]) => isGreeted(namespace, name)));
    // A policy takes a moment to know a new pod.
    expect(await eventually(greeted, ([service]) => service === true, "a service to be greeted")).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("loses nothing of clients that a policy shuts out for a while", async () => {
    const label = (value: string) =>
      site().kubectl([
        "label",
        "pod",
        CLIENTS,
        `${SERVICE_LABEL}${value}`,
        "--overwrite",
        `--namespace=${clientNamespace}`,
      ]);
    await outlives(site(), {
      name: "clients shut out by a policy for 20 s",
      blows: () => [
        async () => {
          await label("-");
          try {
            expect(
              await eventually(
                () => isGreeted(clientNamespace, CLIENTS),
                (greeted) => !greeted,
                "clients without their label not to be greeted",
              ),
            ).toBe(false);
            await sleep(AWAY);
          } finally {
            await label("=bff");
          }
        },
      ],
    });
  });

  test("copies a location of 1 MiB, and what comes after it", async () => {
    const [iot, bff] = [await site().connect("iot"), await site().connect("bff")];
    const subject = "circl.iot.location.truck";
    // The limit counts more than the body: one of a mebibyte less the subject was refused.
    const full = "1".repeat(MEBIBYTE - 1_024);
    const refused = iot.jetstream().publish(subject, "1".repeat(MEBIBYTE + 1));
    await expect(refused).rejects.toThrow("message size exceeds maximum allowed");
    await iot.jetstream().publish(subject, full);
    await iot.jetstream().publish(subject, "after");
    const consumer = await bff.jetstream().consumers.get("circl_iot_location", "bff-location");
    const lengths: number[] = [];
    for (const end = Date.now() + 180_000; Date.now() < end && lengths.at(-1) !== "after".length; ) {
      const message = await consumer.next({ expires: 5_000 });
      message?.ack();
      if (message) lengths.push(message.data.length);
    }
    expect(lengths.slice(-2)).toEqual([full.length, "after".length]);
    await iot.close();
    await bff.close();
  });
});
