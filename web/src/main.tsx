import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Component, type ReactNode, useCallback, useState } from "react";
import { createRoot } from "react-dom/client";
import { Away, Refusal } from "./api/fetch";
import { useMe } from "./api/queries";
import { partsOf, useView } from "./lib/url";
import { Actions } from "./pages/actions";
import { ALERT_PLACES, Alerts } from "./pages/alerts";
import { Conversation } from "./pages/conversation";
import { Conversations } from "./pages/conversations";
import { Doctor } from "./pages/doctor";
import { Explore } from "./pages/explore";
import { FaultPage } from "./pages/faults";
import { Incident } from "./pages/incident";
import { INSIGHT_PLACES, Insights } from "./pages/insights";
import { Overview } from "./pages/overview";
import { Empty, Link, Mark, Problem } from "./pages/parts";
import { Shell, type Tab } from "./pages/shell";
import { SettingsPage } from "./pages/settings";
import { Shared } from "./pages/shared";
import { SignIn } from "./pages/signIn";
import { System } from "./pages/system";
import { TracePage } from "./pages/trace";
import "./styles.css";

const OVERVIEW: Tab = { key: "1", name: "Overview", path: "/", timed: true };
const CONVERSATIONS: Tab = { key: "2", name: "Conversations", path: "/conversations" };
const SYSTEM: Tab = { key: "3", name: "System", path: "/system", timed: true };
const ACTIONS: Tab = { key: "4", name: "Actions", path: "/actions", timed: true };
const ALERTS: Tab = { key: "5", name: "Alerts", path: "/alerts" };
const EXPLORE: Tab = { key: "6", name: "Explore", path: "/explore", timed: true };
const INSIGHTS: Tab = { key: "7", name: "Insights", path: "/insights", timed: true };
const SETTINGS: Tab = { key: "", name: "Settings", path: "/settings" };
const DOCTOR: Tab = { key: "", name: "Doctor", path: "/doctor" };
const NOWHERE: Tab = { key: "", name: "Not found", path: "" };
const TABS = [OVERVIEW, CONVERSATIONS, SYSTEM, ACTIONS, ALERTS, EXPLORE, INSIGHTS, SETTINGS, DOCTOR];
const PLACES = ["logs", "traces", "faults", "measures"];
const OWN_TIME = ["reports", "people", "week"]; // of these each says itself over what time it is
const WORK = ["", "dependencies", "models", "queues"];

const client: QueryClient = new QueryClient({
  defaultOptions: { queries: { retry: false, networkMode: "always", refetchOnWindowFocus: true } },
  queryCache: new QueryCache({
    // A session that was revoked ends here, whichever question found out.
    onError: (error, query) => {
      if (error instanceof Refusal && error.status === 401 && query.queryKey[0] !== "me") void client.resetQueries({ queryKey: ["me"] });
    },
  }),
});

function App() {
  const me = useMe();
  const { path, params } = useView();
  const [refreshing, setRefreshing] = useState(false);
  const refresh = useCallback(() => {
    setRefreshing(true);
    void client.invalidateQueries().finally(() => setRefreshing(false));
  }, []);

  if (me.error instanceof Refusal && me.error.status === 401) return <SignIn />;
  if (me.error) return <Waiting error={me.error} />;
  if (!me.data) return null;
  const [place, id, ...more] = partsOf(path);
  const own = place === "insights" && id === "reports";
  const [current, page] = shown();
  return (
    <Shell tabs={TABS} current={current} timed={Boolean(current.timed) && !(place === "insights" && OWN_TIME.includes(id ?? ""))} me={me.data} refresh={refresh} refreshing={refreshing}>
      <Unbroken key={path}>{page}</Unbroken>
    </Shell>
  );

  function shown() {
    if (place === undefined) return [OVERVIEW, <Overview />] as const;
    if (place === "conversations" && id === undefined) return [CONVERSATIONS, <Conversations refresh={refresh} />] as const;
    if (place === "conversations" && id && !more.length) return [CONVERSATIONS, <Conversation id={id} bot={params.get("bot") ?? ""} />] as const;
    if (place === "actions" && WORK.includes(id ?? "") && !more.length) return [ACTIONS, <Actions what={id ?? ""} />] as const;
    if (place === "explore" && PLACES.includes(id ?? "logs") && !more.length) return [EXPLORE, <Explore what={id ?? "logs"} />] as const;
    if (place === "explore" && id === "faults" && more[0] && more.length === 1) return [EXPLORE, <FaultPage id={more[0]} />] as const;
    if (place === "traces" && id && !more.length) return [EXPLORE, <TracePage id={id} />] as const;
    if (place === "system" && id === undefined) return [SYSTEM, <System admin={me.data!.role === "admin"} />] as const;
    if (place === "alerts" && ALERT_PLACES.includes(id ?? "") && !more.length) return [ALERTS, <Alerts what={id ?? ""} admin={me.data!.role === "admin"} />] as const;
    if (place === "incidents" && id && !more.length) return [ALERTS, <Incident id={id} admin={me.data!.role === "admin"} />] as const;
    if (place === "insights" && INSIGHT_PLACES.includes(id ?? "") && (!more.length || own)) return [INSIGHTS, <Insights what={id ?? ""} rest={more} me={me.data!} />] as const;
    if (place === "doctor" && id === undefined) return [DOCTOR, <Doctor />] as const;
    if (place === "settings" && id === undefined) return [SETTINGS, <SettingsPage me={me.data!} />] as const;
    return [NOWHERE, <section className="panel"><Empty>There is no page at this address. <Link to="/">Go to the overview</Link></Empty></section>] as const;
  }
}

/** A fault in one page leaves the others, and says so. */
class Unbroken extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Empty>
        <Mark level="critical">This page has broken; that is a fault in Botwatch.</Mark>{" "}
        <button type="button" onClick={() => location.reload()}>Load it again</button>
      </Empty>
    );
  }
}

function Waiting({ error }: { error: Error }) {
  return (
    <main className="sign-in">
      <div className="panel">
        <Problem error={error} />
        {error instanceof Away && <p className="pad">It is asked again every five seconds.</p>}
      </div>
    </main>
  );
}

createRoot(document.getElementById("root")!).render(
  <QueryClientProvider client={client}>
    {location.pathname === "/shared" ? <Shared /> : <App />}
  </QueryClientProvider>,
);
