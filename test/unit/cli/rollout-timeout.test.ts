import { Command } from "commander";
import { expect, test } from "vitest";
import { declareDeploy } from "../../../src/cli/declarations/deploy.ts";
import { nanoseconds } from "../../../src/units.ts";
import { objectNamed } from "../deploy/objects.ts";

test.each(["deploy", "rollback"])("%s waits longer for a pod than its own startup probe does", (name) => {
  const program = new Command();
  declareDeploy(program, ".");
  const timeout = program.commands.find((command) => command.name() === name)?.getOptionValue("rolloutTimeout");
  const { containers } = objectNamed("StatefulSet", "nats").spec.template.spec;
  const { periodSeconds, failureThreshold } = containers.find(
    ({ name }: { name: string }) => name === "nats",
  ).startupProbe;
  expect(nanoseconds(timeout) / 1e9).toBeGreaterThan(periodSeconds * failureThreshold);
});
