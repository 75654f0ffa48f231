import type { Model } from "../model/resolve.ts";
import type { Rule } from "./rule.ts";

export const streamRules: readonly Rule<Model>[] = [];
