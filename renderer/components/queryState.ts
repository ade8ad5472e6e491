/**
 * What a page shows, in its address: filters, sorting, what is chosen. So every state has a link, survives a reload, and goes
 * back with the browser. A page that is opened without any comes back as it was left.
 */
import { reactive, watch } from 'vue';
import { useRoute, useRouter, type LocationQuery } from 'vue-router';
import { useUi } from '../stores/ui.ts';

/** Pages that come back as they were left. */
const rememberedPages = 50;

/** @param initial value of every name that is not in the address, and is then left out of it */
export function useQueryState<Name extends string>(initial: Record<Name, string>): Record<Name, string> {
  const route = useRoute();
  const router = useRouter();
  const ui = useUi();
  const names = Object.keys(initial) as Name[];
  const read = (query: LocationQuery): Record<Name, string> => {
    const entries = names.map((name) => [name, typeof query[name] === 'string' ? query[name] : initial[name]]);
    return Object.fromEntries(entries) as Record<Name, string>;
  };
  const entered = (): Record<Name, string> => {
    const isBare = !names.some((name) => name in route.query);
    return read(isBare ? (ui.state.pageQueries[route.path] ?? {}) : route.query);
  };
  const state = reactive(entered()) as Record<Name, string>;

  /** The page of this component; one of several of its kind ("/spectrum/:id"). */
  const page = route.matched[route.matched.length - 1];
  const isHere = (): boolean => route.matched[route.matched.length - 1] === page;
  watch(
    () => [route.path, route.query] as const,
    ([path, query], [before]) => {
      if (isHere()) Object.assign(state, path === before ? read(query) : entered());
    },
  );
  const withoutOwn = <T>(all: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !(name in initial)));
  const keep = (): void => {
    if (!isHere()) return;
    const { path, query: address } = route;
    const own = Object.fromEntries(
      names.filter((name) => state[name] !== initial[name]).map((name) => [name, state[name]]),
    );
    const kept = Object.entries(ui.state.pageQueries).filter(([other]) => other !== path);
    const page = { ...withoutOwn(ui.state.pageQueries[path] ?? {}), ...own };
    const isChanged = JSON.stringify(page) !== JSON.stringify(ui.state.pageQueries[path] ?? {});
    if (isChanged) ui.state.pageQueries = Object.fromEntries([...kept.slice(1 - rememberedPages), [path, page]]);
    // What others keep in the address stays there, and what they have just changed is only in what is remembered.
    const query = { ...withoutOwn(page), ...withoutOwn(address), ...own };
    if (JSON.stringify(query) !== JSON.stringify(address)) void router.replace({ query });
  };
  // At once too: what was opened by its address is remembered, and what is remembered stands in the address.
  watch(state, keep, { immediate: true });
  return state;
}
