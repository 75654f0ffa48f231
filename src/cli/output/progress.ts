/** Progress of an apply: a bar that is drawn over on a terminal, a line for each change elsewhere. */
import type { Applied } from "../../jetstream/order.ts";
import { visible } from "./visible.ts";

const PAST = { create: "created", update: "updated", recreate: "recreated", delete: "deleted" } as const;
const WIDTH = 24;

interface Progress {
  readonly step: (name: string, action: Applied["action"]) => void;
  /** Takes the bar away, so that what follows begins on a clean line. */
  readonly stop: () => void;
}

/** @param total changes to come */
export function progressOn(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }, total: number): Progress {
  let count = 0;
  const line = (name: string, action: Applied["action"]) => `${++count}/${total} ${PAST[action]} ${visible(name)}`;
  if (!stream.isTTY) return { step: (name, action) => stream.write(`${line(name, action)}\n`), stop: () => {} };
  return {
    step: (name, action) => {
      const text = line(name, action);
      const filled = Math.round((count / total) * WIDTH);
      stream.write(`\r\x1b[K[${"=".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${text}`);
    },
    stop: () => stream.write("\r\x1b[K"),
  };
}
