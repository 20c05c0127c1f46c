import type { OnModuleDestroy } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/**
 * Has Nest call `drain` before the `onModuleDestroy` of all other modules. Nest takes modules down from
 * the root on and global ones last, so that attempts would lose their database before they are drained.
 */
export function drainFirst(modules: ModulesContainer, drain: () => Promise<void>): void {
  const imported = new Set([...modules.values()].flatMap((module) => [...module.imports]));
  const root = [...modules.values()].find((module) => !module.isGlobal && !imported.has(module));
  const hook: OnModuleDestroy = { onModuleDestroy: drain };
  root?.addProvider({ provide: Symbol('durable-api.drain'), useValue: hook });
}
