using System.Diagnostics;
using System.Text;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>
/// The state graph of a lifecycle, found by trying: a value of every event on every state that was come upon, until
/// nothing new appears. What <c>Evolve</c> calls unreachable is no edge.
/// </summary>
sealed class StateGraph
{
    /// <summary>States that are tried of one phase: enough that a list is once empty and once not.</summary>
    const int PerPhase = 40;

    readonly SortedDictionary<(string From, string To), SortedSet<string>> _edges = [];
    readonly SortedDictionary<string, SortedSet<string>> _stays = new(StringComparer.Ordinal);

    public static StateGraph Of<TLifecycle, TState, TEvent>(EntityId id, Func<TState, string> phase)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event
    {
        var graph = new StateGraph();
        TEvent[] events =
        [
            .. from type in typeof(TEvent).Assembly.GetTypes()
               where type.IsSubclassOf(typeof(TEvent)) && !type.IsAbstract
               orderby type.Name
               from variant in Sample.Variants(type)
               select (TEvent)variant,
        ];
        var first = TLifecycle.Initial(id);
        var seen = new Dictionary<string, List<TState>> { [phase(first)] = [first] };
        var open = new Queue<TState>([first]);
        while (open.TryDequeue(out var state))
        {
            foreach (var happened in events)
            {
                if (Try<TLifecycle, TState, TEvent>(state, happened) is not { } after)
                {
                    continue;
                }
                graph.Add(phase(state), StoredNames.Kind(StoredNames.Of(happened)), phase(after));
                var known = seen.TryGetValue(phase(after), out var list) ? list : seen[phase(after)] = [];
                if (known.Count < PerPhase && !known.Contains(after))
                {
                    known.Add(after);
                    open.Enqueue(after);
                }
            }
        }
        return graph;
    }

    static TState? Try<TLifecycle, TState, TEvent>(TState state, TEvent happened)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event
    {
        try
        {
            return TLifecycle.Evolve(state, happened);
        }
        catch (Exception error) when (error is UnreachableException or KeyNotFoundException or ArgumentException
            or InvalidOperationException or NullReferenceException or IndexOutOfRangeException)
        {
            return null; // A value that does not fit this state: another does, or none may follow.
        }
    }

    void Add(string from, string happened, string to)
    {
        var events = from != to
            ? _edges.TryGetValue((from, to), out var known) ? known : _edges[(from, to)] = new(StringComparer.Ordinal)
            : _stays.TryGetValue(from, out var kept) ? kept : _stays[from] = new(StringComparer.Ordinal);
        events.Add(happened);
    }

    /// <summary>As the page shows it: a Mermaid diagram, and a table of what changes no state.</summary>
    public string Markdown(string initial)
    {
        var text = new StringBuilder("```mermaid\nstateDiagram-v2\n").Append($"    [*] --> {initial}\n");
        foreach (var ((from, to), events) in _edges)
        {
            text.Append($"    {from} --> {to}: {string.Join(", ", events)}\n");
        }
        text.Append("```\n\n| state | events that leave it as it is |\n|---|---|\n");
        foreach (var (state, events) in _stays)
        {
            text.Append($"| {state} | {string.Join(", ", events)} |\n");
        }
        return text.ToString();
    }
}
