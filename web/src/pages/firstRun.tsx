// Before the first bot: how to send something, ready to be copied.

import { Why } from "./doctor";
import { Link, Panel, Snippet } from "./parts";

export function FirstRun() {
  const here = location.origin;
  return (
    <div className="first">
    <Panel title="No bot has been heard yet" className="prose">
      <p>This page fills by itself as soon as the first one sends. Two ways to get there:</p>
      <h3>A bot in Python</h3>
      <Snippet text={"pip install botwatch-sdk"} />
      <Snippet text={`import botwatch_sdk as bot\n\nbot.init("helpdesk", url="${here}")\nwith bot.turn(text, session=chat_id) as turn:  # in your message handler\n    turn.reply(answer(text))`} />
      <h3>Anything that speaks OpenTelemetry</h3>
      <Snippet text={`export OTEL_EXPORTER_OTLP_ENDPOINT=${here}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_SERVICE_NAME=helpdesk`} />
      <p className="quiet">
        Where the server asks for keys, make one in the <Link to="/settings">settings</Link>, or with <code>botwatch key add</code>, and send it as{" "}
        <code>OTEL_EXPORTER_OTLP_HEADERS=&quot;authorization=Bearer KEY&quot;</code>; for the SDK, set <code>BOTWATCH_KEY</code>.
      </p>
    </Panel>
    <Panel title="What the server has noticed" className="prose"><Why topic="no_data" /></Panel>
    </div>
  );
}
