// What is wrong, found by looking, each with its remedy: where a page has nothing to show, and all of it in one place.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import type { Diagnosis, FindingItem, TopicItem } from "../api/types";
import { useView } from "../lib/url";
import { Answer, AsOf, Empty, Link, Mark, Panel, Said, Words } from "./parts";

const PATH = "/api/diagnosis";
const EVERY_MS = 60_000;
type Topic = TopicItem["topic"];

/** What a finding is best looked at with. */
const PLACES: Record<Topic, readonly [string, string]> = {
  no_data: ["/settings", "Keys are made in the settings"],
  no_conversations: ["/actions", "See the calls of models"],
  unknown_users: ["/conversations?state=all", "See the conversations"],
  alerts: ["/alerts/channels", "See the channels"],
  high_cpu: ["/system", "See the machines"],
};

function useDiagnosis(topic?: Topic, bot?: string) {
  return useQuery({
    queryKey: [PATH, topic, bot],
    queryFn: () => ask<Diagnosis>(PATH, { topic, bot }),
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
}

/** Why there is nothing here, or less than one would expect; nothing where nothing was found. */
export function Why({ topic, bot = "" }: { topic: Topic; bot?: string }) {
  const found = useDiagnosis(topic, bot).data?.topics[0];
  if (!found || (found.looked && !found.findings.length)) return null;
  return <Findings of={found} />;
}

function Findings({ of }: { of: TopicItem }) {
  if (!of.looked) return <p className="pad"><Mark level="unknown">It could not be looked at: <Said text={of.why_not ?? ""} /></Mark></p>;
  return <ul className="plain pad findings">{of.findings.map((one, place) => <Finding key={`${one.code} ${place}`} of={one} />)}</ul>;
}

function Finding({ of }: { of: FindingItem }) {
  return (
    <li>
      <Mark level={of.level === "problem" ? "warning" : "unknown"}>{of.level}</Mark> <b><Words text={of.found} /></b>
      <p className="quiet"><Words text={`${of.remedy.slice(0, 1).toUpperCase()}${of.remedy.slice(1)}.`} /></p>
    </li>
  );
}

export function Doctor() {
  const bot = useView().params.get("bot") ?? "";
  const asked = useDiagnosis(undefined, bot);
  return (
    <Answer of={asked}>
      {({ topics }) => (
        <>
          {topics.map((topic) => (
            <Panel key={topic.topic} title={topic.question} aside={<Link to={PLACES[topic.topic][0]}>{PLACES[topic.topic][1]}</Link>}>
              {topic.looked && !topic.findings.length ? <Empty><Mark level="ok">Nothing found that would explain it.</Mark></Empty> : <Findings of={topic} />}
            </Panel>
          ))}
          <p className="quiet"><AsOf at={asked.dataUpdatedAt} />. On a bot's own machine, <code>botwatch doctor</code> tries the way to this server, too.</p>
        </>
      )}
    </Answer>
  );
}
