// The hours of the week: what is usual at each, and which stand out week after week. The server counts in its own time zone.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import type { Week as Shape } from "../api/types";
import { formatOf } from "../lib/format";
import { set } from "../lib/url";
import { BotChoice, useParam } from "./filters";
import { Answer, Choice, Empty, Panel } from "./parts";

const PATH = "/api/insights/week";
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const SHOWN = [["messages.in", "Messages of users"], ["errors.count", "Errors"], ["turns.unanswered", "Unanswered"], ["response.time", "Response time"]] as const;

export function Week() {
  const get = useParam();
  const params = { measure: get("measure", "messages.in"), bot: get("bot") };
  const asked = useQuery({ queryKey: [PATH, params], queryFn: () => ask<Shape>(PATH, params) });
  return (
    <Panel title="The hours of the week" aside={<span className="quiet">mean of the last four weeks{asked.data && `, in the time zone ${asked.data.zone}`}</span>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Choice label="Of" value={params.measure} options={SHOWN} onChange={(value) => set({ measure: value === "messages.in" ? "" : value })} />
      </form>
      <Answer of={asked}>{(found) => (found.hours.some(({ mean }) => mean !== null) ? <Hours of={found} /> : <Empty>Nothing is known of these weeks yet.</Empty>)}</Answer>
    </Panel>
  );
}

function Hours({ of: { hours, spikes, unit } }: { of: Shape }) {
  const told = formatOf(unit);
  const most = hours.reduce((high, { mean }) => Math.max(high, mean ?? 0), 0);
  const heat = (mean: number | null) => (mean === null || !most ? "none" : Math.ceil((mean / most) * 9));
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label="The hours of the week">
        <table className="heat">
          <thead><tr><th scope="col">Day</th>{Array.from({ length: 24 }, (_, hour) => <th key={hour} scope="col">{hour}</th>)}</tr></thead>
          <tbody>
            {DAYS.map((day, place) => (
              <tr key={day}>
                <th scope="row">{day}</th>
                {hours.filter((one) => one.day === place).map(({ hour, mean, weeks }) => (
                  <td key={hour} data-heat={heat(mean)} title={`${day} ${hour}:00: ${mean === null ? "unknown" : `${told(mean)} on average of ${weeks}`}`}>
                    <span className="for-ears">{mean === null ? "unknown" : told(mean)}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="pad quiet heat-key">
        <span>{told(0)}</span>
        <span aria-hidden="true">{Array.from({ length: 9 }, (_, step) => <i key={step} data-heat={step + 1} />)}</span>
        <span>{told(most)}{unit === "count" && " an hour"}</span>
        <span><i data-heat="none" /> not known</span>
      </p>
      {spikes.length ? (
        <div className="pad">
          <p>It peaks again and again: something that runs at a fixed time, such as a newsletter or a job, may bring it.</p>
          <ul>{spikes.map((spike) => <li key={spike.sentence}>{spike.sentence}</li>)}</ul>
        </div>
      ) : <p className="pad">No hour stands out week after week.</p>}
    </>
  );
}
