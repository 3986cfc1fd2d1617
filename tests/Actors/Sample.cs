using System.Collections;
using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>One value of any word, with every field set: the same in every run.</summary>
static class Sample
{
    public static object Of(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Of(inner);
        }
        if (type.IsEnum)
        {
            return Enum.GetValues(type).Cast<object>().Last();
        }
        if (Simple(type) is { } simple)
        {
            return simple;
        }
        if (type.IsGenericType)
        {
            return Collection(type);
        }
        return type.IsAbstract ? Of(Concrete(type)) : Record(type);
    }

    /// <summary>The sample, and one more for each flag of the word that the sample has set.</summary>
    public static IEnumerable<object> Variants(Type type)
    {
        yield return Of(type);
        var constructor = type.GetConstructors().MaxBy(made => made.GetParameters().Length)!;
        foreach (var flag in constructor.GetParameters().Where(parameter => parameter.ParameterType == typeof(bool)))
        {
            yield return constructor.Invoke([.. constructor.GetParameters().Select(parameter => parameter == flag ? false : Of(parameter.ParameterType))]);
        }
    }

    static object? Simple(Type type) =>
        type == typeof(string) ? "text"
        : type == typeof(bool) ? true
        : type == typeof(int) ? 7
        : type == typeof(uint) ? 7u
        : type == typeof(long) ? 7L
        : type == typeof(ushort) ? (ushort)7
        : type == typeof(byte) ? (byte)7
        : type == typeof(DateTimeOffset) ? new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)
        : type == typeof(EntityId) ? EntityId.Port("hv01", "sw", "p1")
        : type == typeof(OidCode) ? OidCode.PortCreate
        : type == typeof(ReadOnlyMemory<byte>) ? new ReadOnlyMemory<byte>([1, 2, 3])
        : type == typeof(JsonElement) ? JsonDocument.Parse("{\"key\":[1,\"two\"]}").RootElement
        : type == typeof(Command) ? new TakeHold("hold", "holder", "purpose")
        : type == typeof(Reply) ? new HoldTaken("hold")
        : null;

    static object Collection(Type type)
    {
        var parts = type.GetGenericArguments();
        if (parts.Length == 2)
        {
            var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(parts))!;
            map.Add(Of(parts[0]), Of(parts[1]));
            return map;
        }
        var one = Array.CreateInstance(parts[0], 1);
        one.SetValue(Of(parts[0]), 0);
        return type.GetGenericTypeDefinition() == typeof(ImmutableArray<>)
            ? typeof(ImmutableArray).GetMethods().First(method => method.Name == "Create" && method.GetParameters() is [{ ParameterType.IsArray: true }])
                .MakeGenericMethod(parts[0]).Invoke(null, [one])!
            : one;
    }

    static Type Concrete(Type type) =>
        type.GetCustomAttributes<JsonDerivedTypeAttribute>().FirstOrDefault()?.DerivedType
        ?? throw new NotSupportedException($"no sample of {type.Name}");

    static object Record(Type type)
    {
        var constructor = type.GetConstructors().MaxBy(made => made.GetParameters().Length) ?? throw new NotSupportedException($"no sample of {type.Name}");
        var parameters = constructor.GetParameters();
        var made = constructor.Invoke([.. parameters.Select(parameter => Of(parameter.ParameterType))]);
        foreach (var property in type.GetProperties().Where(property => property.CanWrite && parameters.All(parameter => parameter.Name != property.Name)))
        {
            property.SetValue(made, Of(property.PropertyType));
        }
        return made;
    }
}
