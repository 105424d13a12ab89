// From a chart into a report: a new one, or one that is there.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import type { PageReportShape } from "../api/types";
import { plain } from "../lib/text";
import { go } from "../lib/url";
import { addressOf, type Wanted } from "../lib/wanted";

export const REPORTS = "/api/reports";
export const useReports = () => useQuery({ queryKey: [REPORTS, "all"], queryFn: () => ask<PageReportShape>(REPORTS, { limit: 500 }) });

export function AddToReport({ wanted }: { wanted: Wanted }) {
  const reports = useReports().data?.items.filter((one) => one.may_change) ?? [];
  return (
    <select aria-label="Add to a report" value="" onChange={(event) => go(`/insights/reports/${event.target.value}?${addressOf(wanted)}`)}>
      <option value="">Add to a report …</option>
      <option value="new">a new one</option>
      {reports.map(({ id, report }) => <option key={id} value={`${id}/edit`}>{plain(report.name)}</option>)}
    </select>
  );
}
