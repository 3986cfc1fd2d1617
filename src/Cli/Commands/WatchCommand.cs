using System.CommandLine;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using ControlPlane.Cli.Http;
using ControlPlane.Cli.Output;

namespace ControlPlane.Cli.Commands;

/// <summary>
/// Events as they happen. A lost connection is taken up again after the last event that was printed, so that nothing is
/// missed and nothing shown twice; only the first connection, a refusal or the person ends it.
/// </summary>
static class WatchCommand
{
    static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(10);

    public static Command Of(GlobalOptions globals)
    {
        var actor = new Argument<string?>("ACTOR") { Description = "One actor, such as vm/web-1", Arity = ArgumentArity.ZeroOrOne };
        var type = new Option<string?>("--type") { Description = "Only events of this type", HelpName = "TYPE" };
        var after = new Option<string?>("--after") { Description = "Begin after this cursor instead of now", HelpName = "CURSOR" };
        var count = new Option<int?>("--count") { Description = "End after so many events", HelpName = "N" };
        return globals.Command("watch", "Print events as they happen, until Ctrl-C", (session, parsed, stop) =>
        {
            var request = Request.Get("v1", "watch").With("actor", parsed.GetValue(actor)).With("type", parsed.GetValue(type));
            return new Watcher(session, request, parsed.GetValue(after), parsed.GetValue(count) ?? int.MaxValue).Run(stop);
        }, actor, type, after, count);
    }

    sealed class Watcher(Session session, Request request, string? after, int wanted)
    {
        readonly string? _after = after;
        string? _lastId;
        TimeSpan _delay = FirstDelay;
        int _seen;

        public async Task<int> Run(CancellationToken stop)
        {
            var connected = false;
            try
            {
                while (true)
                {
                    // The cursor given at the start holds until an event has brought a newer one.
                    var (stream, instead) = await session.Api.Open(_lastId is null ? request.With("after", _after) : request, _lastId, stop);
                    if (instead is not null && (!connected || Final(instead)))
                    {
                        return session.Printer.Fail(instead);
                    }

                    if (stream is not null)
                    {
                        using (stream)
                        {
                            connected = true;
                            if (await Read(stream, stop))
                            {
                                return ExitCode.Ok;
                            }
                        }
                    }

                    await Pause(stop);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return ExitCode.Ok;
            }
        }

        // A refusal does not change by asking again; a server that restarts answers 503 for a while.
        static bool Final(Answer answer) => answer is Answer.Failure { Problem.Status: var status }
            && status is >= 400 and < 500 and not ((int)HttpStatusCode.TooManyRequests or (int)HttpStatusCode.RequestTimeout);

        // True when enough was seen; false when the stream ended and should be taken up again.
        async Task<bool> Read(HttpResponseMessage response, CancellationToken stop)
        {
            try
            {
                await using var body = await response.Content.ReadAsStreamAsync(stop);
                var events = SseParser.Create(body);
                await foreach (var item in events.EnumerateAsync(stop))
                {
                    _delay = FirstDelay;
                    Print(item.Data);
                    _lastId = events.LastEventId is { Length: > 0 } id ? id : _lastId;
                    if (++_seen >= wanted)
                    {
                        return true;
                    }
                }

                session.Printer.Note("the stream ended; connecting again");
            }
            catch (Exception error) when (error is IOException or HttpRequestException)
            {
                session.Printer.Note($"the stream broke off ({error.Message}); connecting again");
            }

            return false;
        }

        void Print(string data)
        {
            JsonElement happened;
            try
            {
                happened = JsonDocument.Parse(data).RootElement;
            }
            catch (JsonException)
            {
                session.Printer.Note($"not an event: {data}");
                return;
            }

            session.World.Out.WriteLine(session.Printer.Format switch
            {
                Format.Json => JsonText.Line(happened),
                Format.Yaml => "---\n" + YamlText.Of(happened),
                _ => Line(happened),
            });
            session.World.Out.Flush();
        }

        static string Line(JsonElement happened)
        {
            if (happened.ValueKind is not JsonValueKind.Object)
            {
                return TableText.Cell(happened);
            }

            var words = new List<string>();
            foreach (var name in (ReadOnlySpan<string>)["at", "actor", "sequence", "type", "who", "body"])
            {
                if (happened.TryGetProperty(name, out var value) && TableText.Cell(value) is { Length: > 0 } text)
                {
                    words.Add(text);
                }
            }

            return string.Join("  ", words);
        }

        // Jitter: after a restart the watchers of a fleet come back spread out and not as one wave.
        async Task Pause(CancellationToken stop)
        {
            await Task.Delay(_delay * (0.5 + (session.World.Chance() / 2)), session.World.Time, stop);
            _delay = _delay * 2 < DelayMax ? _delay * 2 : DelayMax;
        }
    }
}
