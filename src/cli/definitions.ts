/** What is defined in environments/ and streams/. Everything else gets it as a parameter, so that tests bring their own. */
import { environments } from "../../environments/index.ts";
import { streams } from "../../streams/index.ts";
import { services } from "../../streams/services.ts";
import type { Definitions } from "../model/resolve.ts";

export const definitions: Definitions = { environments, streams, services };
