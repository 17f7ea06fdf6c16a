import type { WireTool } from '../../agents/model.ts';
import { wireNames } from '../../gateway/wire-names.ts';
import type { ToolDefinition } from '../../formula/tool-definition.ts';
import { BUILT_IN_TOOLS } from '../../formula/tools.ts';
import type { PlanStep, PlanTool } from '../../plan/plan.ts';
import { compileSchema } from '../../schema/validate-value.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../../support/json.ts';
import { isJsonObject } from '../../support/json.ts';
import { UserError } from '../../support/user-error.ts';

/** The tool of ours through which a model hands in the step's outputs. */
export const SUBMIT = 'submit';

const SUBMIT_DESCRIPTION = 'Hand in the result. Call it once, when the task is done.';

/** What a model is told of the tools of a step: those that it may use, and how it submits. */
export class AgentTools {
  /** In the order they are sent. */
  readonly wire: readonly WireTool[];
  readonly #byWire: ReadonlyMap<string, PlanTool>;
  readonly #outputs: Readonly<Record<string, JsonSchema>> | undefined;

  /** Throws a {@link UserError} when a tool is not what the plan was compiled with. */
  constructor({ tools = [], outputs }: PlanStep) {
    const names = wireNames(tools, [SUBMIT]);
    const wireOf = (tool: PlanTool) => names.get(nameOf(tool)) ?? tool.name;
    this.#outputs = outputs;
    this.#byWire = new Map(tools.map((tool) => [wireOf(tool), tool]));
    this.wire = [
      ...tools.map((tool): WireTool => {
        const { description, inputSchema } = definitionOf(tool);
        return { name: wireOf(tool), description, input_schema: inputSchema };
      }),
      ...(outputs
        ? [{ name: SUBMIT, description: SUBMIT_DESCRIPTION, input_schema: submitSchema(outputs) }]
        : []),
    ];
  }

  /** Whether the model has something to submit; if not, it ends by saying nothing more. */
  get submits(): boolean {
    return this.#outputs !== undefined;
  }

  /** Whether it can read files of the workspace, and with them what did not fit into a result. */
  get readsFiles(): boolean {
    return [...this.#byWire.values()].some((tool) => nameOf(tool) === 'workspace/read');
  }

  /** The tool that the model means. Undefined: none that it was told of. */
  find(wire: string): PlanTool | undefined {
    return this.#byWire.get(wire);
  }

  /** What is wrong with what a model submits. Undefined: nothing. */
  problemOf(submitted: JsonValue): string | undefined {
    if (!isJsonObject(submitted)) return 'the result has to be an object';
    const outputs = this.#outputs ?? {};
    const problems = Object.entries(outputs).flatMap(([name, schema]) => {
      const value = submitted[name];
      if (value === undefined) return [`"${name}" is missing`];
      return compileSchema(schema, name)(value).map(({ message }) => message);
    });
    const unknown = Object.keys(submitted).filter((name) => !(name in outputs));
    const all = [...problems, ...unknown.map((name) => `"${name}" is not asked for`)];
    return all.length > 0 ? all.slice(0, 10).join('\n') : undefined;
  }
}

/** What the plan was compiled with: of the built-in server it is the one of this wf, or nothing. */
function definitionOf(tool: PlanTool): ToolDefinition {
  const found = BUILT_IN_TOOLS.find(nameOf(tool));
  const [own] = found.kind === 'found' ? found.tools : [];
  if (own?.digest === tool.digest) return own.definition;
  throw new UserError(`${nameOf(tool)} of this wf is not the one that the plan was compiled with`, {
    hint: 'compile the formula again, or use the wf that compiled the plan',
  });
}

/** As people and formulas name it. */
export function nameOf({ server, name }: Pick<PlanTool, 'server' | 'name'>): string {
  return `${server}/${name}`;
}

/** One schema of all outputs. What a schema refers to in itself moves with it. */
function submitSchema(outputs: Readonly<Record<string, JsonSchema>>): JsonObject {
  const properties = Object.fromEntries(
    Object.entries(outputs).map(([name, schema]) => [name, moved(schema, `#/properties/${name}`)]),
  );
  return {
    type: 'object',
    properties,
    required: Object.keys(outputs),
    additionalProperties: false,
  };
}

/** Keywords whose values are data and no schemas. */
const DATA: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples']);

/** Keywords whose values are schemas by name. */
const BY_NAME: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'dependentSchemas',
]);

/** A schema with its references to itself led to where it is now, and without what only we read. */
function moved(schema: JsonValue, place: string): JsonValue {
  if (Array.isArray(schema)) return (schema as readonly JsonValue[]).map((inner) => moved(inner, place));
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== 'trust')
      .map(([key, value]) => {
        if (DATA.has(key)) return [key, value];
        if (key === '$ref' && typeof value === 'string' && value.startsWith('#'))
          return [key, `${place}${value.slice(1)}`];
        if (BY_NAME.has(key) && isJsonObject(value))
          return [
            key,
            Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, moved(inner, place)])),
          ];
        return [key, moved(value, place)];
      }),
  );
}
