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
  watch(state, () => {
    if (!isHere()) return;
    const { path } = route;
    const withoutOwn = <T>(all: Record<string, T>): Record<string, T> =>
      Object.fromEntries(Object.entries(all).filter(([name]) => !(name in initial)));
    const own = Object.fromEntries(
      names.filter((name) => state[name] !== initial[name]).map((name) => [name, state[name]]),
    );
    const kept = Object.entries(ui.state.pageQueries).filter(([other]) => other !== path);
    const page = { ...withoutOwn(ui.state.pageQueries[path] ?? {}), ...own };
    ui.state.pageQueries = Object.fromEntries([...kept.slice(1 - rememberedPages), [path, page]]);
    // What others keep in the address stays there.
    const query = { ...withoutOwn(route.query), ...own };
    if (JSON.stringify(query) !== JSON.stringify(route.query)) void router.replace({ query });
  });
  return state;
}
